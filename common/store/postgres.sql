-- The archive of ca-db(5) in PostgreSQL: its schema, and the statements that
-- are others there than in sqlite.sql.
--
-- A role may have fewer rights than the owner: append-only and written once are
-- triggers that hold for all of them, and key_of() shows an importer, who may
-- read no key, what its own transaction wrote.

-- SCHEMA
create table request(
    RequestID bigint primary key,
    RawArchivedKey bytea, KeyRecoveryHashes text collate "C",
    StatusCode bigint not null, Disposition bigint not null,
    DispositionMessage text collate "C" not null,
    SubmittedWhen text collate "C" not null,
    ResolvedWhen text collate "C" not null,
    RequesterName text collate "C" not null,
    CallerName text collate "C" not null,
    DistinguishedName text collate "C" not null,
    CommonName text collate "C" not null, OrgUnit text collate "C" not null,
    Organization text collate "C" not null, EMail text collate "C" not null,
    KeyFormat text collate "C", KmsGroup text collate "C" not null,
    KmsUser text collate "C" not null, KmsMail text collate "C" not null,
    MailboxGuid text collate "C" not null, Source text collate "C" not null,
    StreamId text collate "C" not null,
    CertAudit bigint not null, KeyAudit bigint);
alter table request alter RawArchivedKey set storage external;
create index request_CertAudit on request(CertAudit);
create index request_KeyAudit on request(KeyAudit)
    where KeyAudit is not null;
create table certificate(
    RequestID bigint primary key references request,
    RawCertificate bytea not null,
    CertificateHash text collate "C" not null,
    Sha256 text collate "C" not null unique,
    SerialNumber text collate "C" not null,
    IssuerName text collate "C" not null,
    NotBefore text collate "C" not null, NotAfter text collate "C" not null,
    SubjectKeyIdentifier text collate "C" not null, RawPublicKey bytea,
    PublicKeyLength bigint not null,
    PublicKeyAlgorithm text collate "C" not null,
    RawPublicKeyAlgorithmParameters bytea,
    SpkiHash text collate "C" not null, UPN text collate "C" not null,
    DistinguishedName text collate "C" not null,
    CommonName text collate "C" not null, OrgUnit text collate "C" not null,
    Organization text collate "C" not null, EMail text collate "C" not null);
create index certificate_SerialNumber on certificate(SerialNumber);
create table kra(KraID bigint primary key,
    CertificateHash text collate "C" not null,
    Sha256 text collate "C" not null unique,
    RawCertificate bytea not null, AddedWhen text collate "C" not null,
    AuditID bigint not null);
create table config(Name text collate "C" primary key, Value bigint,
    Certificate bytea, AuditID bigint not null);
create table audit(AuditID bigint primary key,
    AuditWhen text collate "C" not null, Caller text collate "C" not null,
    Action text collate "C" not null, Detail text collate "C" not null,
    Digest text collate "C" not null, Hash text collate "C" not null);
create function refuse() returns trigger language plpgsql as
    'begin raise exception ''%'', tg_argv[0]; end';
create trigger audit_append before update or delete or truncate on audit
    execute function refuse('the audit table is append-only');
create trigger request_once before update on request for each row
    when (old.KeyAudit is not null)
    execute function refuse('an archived key is written once');
create function key_of(bigint) returns table(RequestID bigint,
    RawArchivedKey bytea, KeyRecoveryHashes text, KeyFormat text)
    language sql stable security definer set search_path = kms2ca, pg_temp as
    'select RequestID, RawArchivedKey, KeyRecoveryHashes, KeyFormat
    from request where KeyAudit = $1 and not exists
    (select 1 from audit where AuditID = $1) order by 1';
revoke all on function key_of from public;
comment on schema kms2ca is 'kms2ca archive, version 2'

-- Who owns what, and who may do what, is left out.
-- SCHEMA_IS
with here as (select oid from pg_namespace where nspname = 'kms2ca'),
    rel as (select oid from pg_class
    where relnamespace in (select oid from here))
select 'relation', relname::text collate "C", concat(relkind,
    relpersistence, relrowsecurity, relhasrules, relhassubclass,
    relispartition) from pg_class where oid in (select oid from rel)
union all select 'column', concat(attrelid::regclass, '.',
    to_char(attnum, '00'), attname), concat_ws(' ',
    format_type(atttypid, atttypmod), attnotnull, attcollation,
    attisdropped, attidentity, attgenerated, pg_get_expr(adbin, adrelid))
    from pg_attribute left join pg_attrdef
    on adrelid = attrelid and adnum = attnum
    where attnum > 0 and attrelid in (select oid from rel)
union all select 'index', indexrelid::regclass::text,
    concat(pg_get_indexdef(indexrelid), indisvalid) from pg_index
    where indrelid in (select oid from rel)
union all select 'constraint', conname, concat(conrelid::regclass,
    pg_get_constraintdef(oid), convalidated) from pg_constraint
    where connamespace in (select oid from here) and contype <> 'n'
union all select 'trigger', tgname,
    concat(pg_get_triggerdef(oid), tgenabled) from pg_trigger
    where not tgisinternal and tgrelid in (select oid from rel)
union all select 'rule', rulename, pg_get_ruledef(oid) from pg_rewrite
    where ev_class in (select oid from rel)
union all select 'policy', polname, pg_get_expr(polqual, polrelid)
    from pg_policy where polrelid in (select oid from rel)
union all select 'operator', oid::regoperator::text, oprcode::text
    from pg_operator where oprnamespace in (select oid from here)
union all select 'function', oid::regprocedure::text, concat_ws(' ',
    (select lanname from pg_language l where l.oid = prolang), prosecdef,
    provolatile, proconfig, prosrc) from pg_proc
    where pronamespace in (select oid from here) order by 1, 2

-- OPEN
set search_path = kms2ca, pg_temp;
set lock_timeout = '120s';
select set_config('synchronous_commit', 'on', false)
    where current_setting('synchronous_commit') = 'off';
select current_setting('server_encoding'), current_setting('fsync')

-- FIND_ARCHIVE
select obj_description(oid, 'pg_namespace'),
    exists (select 1 from pg_class where relnamespace = n.oid),
    has_schema_privilege(oid, 'usage')
    from pg_namespace n where nspname = 'kms2ca'

-- NEW_SCHEMA
create schema kms2ca

-- The lock of whoever writes is "kms2ca" as a number.

-- BEGIN
begin isolation level read committed read write;
select pg_advisory_xact_lock(118117828289377)

-- HOLD
select pg_advisory_lock(118117828289377)

-- HELD
begin isolation level repeatable read read only;
select pg_advisory_unlock_all()

-- CA_SET
insert into config(Name, Certificate, AuditID) values ($1, $2, $3)
    on conflict (Name) do update set Certificate = $2, AuditID = $3

-- CA_GET
select Certificate from config where Name = $1

-- SETTING_NEXT
select Name, Value, Certificate, AuditID
    from config where Name > $1 order by Name limit 1

-- SETTING_COPY
insert into config(Name, Value, Certificate, AuditID)
    values ($1, $2, $3, $4)
    on conflict (Name) do update set Value = excluded.Value,
    AuditID = excluded.AuditID where excluded.AuditID > config.AuditID

-- FIND_MANY
select decode(c.Sha256, 'hex'), c.RequestID, r.KeyAudit is not null,
    r.KmsUser from certificate c join request r using (RequestID)
    where c.Sha256 = any(string_to_array($1, ','))

-- TOKEN_ADD
select set_config('kms2ca.raw', concat_ws(chr(31),
    nullif(current_setting('kms2ca.raw', true), '') collate "C", $1::text),
    false), set_config('kms2ca.hex', concat_ws(chr(31),
    nullif(current_setting('kms2ca.hex', true), '') collate "C", $2::text),
    false)

-- COUNT
select count(*), max(r.RequestID)
    from request r join certificate c using (RequestID),
    (select string_to_array(lower(nullif(current_setting('kms2ca.raw', true),
    '') collate "C"), chr(31)) raw,
    string_to_array(nullif(current_setting('kms2ca.hex', true), '')
    collate "C", chr(31)) hex offset 0) t
    where raw is null or array[c.SerialNumber, c.CertificateHash, c.Sha256,
    c.SubjectKeyIdentifier] && hex or array[lower(c.CommonName),
    lower(r.RequesterName), lower(c.UPN), lower(c.EMail), lower(r.KmsMail),
    lower(r.KmsUser)] && raw

-- LIST
select r.RequestID, r.Disposition, r.SubmittedWhen, r.RequesterName,
    r.StreamId, c.SubjectKeyIdentifier, coalesce(r.KeyRecoveryHashes, ''),
    coalesce(r.KeyFormat, ''), r.KmsGroup, r.KmsUser, r.KmsMail,
    r.MailboxGuid, r.Source, c.RawCertificate, r.CallerName, r.CertAudit,
    r.KeyAudit, null::bytea
    from request r join certificate c using (RequestID),
    (select string_to_array(lower(nullif(current_setting('kms2ca.raw', true),
    '') collate "C"), chr(31)) raw,
    string_to_array(nullif(current_setting('kms2ca.hex', true), '')
    collate "C", chr(31)) hex offset 0) t
    where (raw is null or array[c.SerialNumber, c.CertificateHash, c.Sha256,
    c.SubjectKeyIdentifier] && hex or array[lower(c.CommonName),
    lower(r.RequesterName), lower(c.UPN), lower(c.EMail), lower(r.KmsMail),
    lower(r.KmsUser)] && raw)
    and r.RequestID > $1 order by r.RequestID limit 1000

-- SELECT
select r.RequestID, r.Disposition, r.SubmittedWhen, r.RequesterName,
    r.StreamId, c.SubjectKeyIdentifier, coalesce(r.KeyRecoveryHashes, ''),
    coalesce(r.KeyFormat, ''), r.KmsGroup, r.KmsUser, r.KmsMail,
    r.MailboxGuid, r.Source, c.RawCertificate, r.CallerName, r.CertAudit,
    r.KeyAudit, r.RawArchivedKey
    from request r join certificate c using (RequestID),
    (select string_to_array(lower(nullif(current_setting('kms2ca.raw', true),
    '') collate "C"), chr(31)) raw,
    string_to_array(nullif(current_setting('kms2ca.hex', true), '')
    collate "C", chr(31)) hex offset 0) t
    where (raw is null or array[c.SerialNumber, c.CertificateHash, c.Sha256,
    c.SubjectKeyIdentifier] && hex or array[lower(c.CommonName),
    lower(r.RequesterName), lower(c.UPN), lower(c.EMail), lower(r.KmsMail),
    lower(r.KmsUser)] && raw)
    and r.RequestID > $1 order by r.RequestID limit 100

-- WROTE_KEY_NOW
select * from key_of($1)

-- WROTE_CA
select Name, Certificate from config
    where Name = 'CACertificate' and AuditID = $1

-- ORPHANS
select 'row ' || RequestID from request
    where CertAudit not in (select AuditID from audit)
    or KeyAudit is not null and KeyAudit not in (select AuditID from audit)
    or (KeyAudit is null) <> (RawArchivedKey is null)
    or KeyAudit is null and coalesce(KeyFormat, KeyRecoveryHashes) is not null
union all select 'KRA ' || KraID from kra
    where AuditID not in (select AuditID from audit)
union all select 'setting ' || Name from config c
    where not exists (select 1 from audit a where a.AuditID = c.AuditID and
	(Name = 'CACertificate' or
	strpos(' ' || Detail || ' ', ' ' || Name || '=' || Value || ' ') > 0))
    or AuditID <> (select max(AuditID) from audit
	where Action in ('init', 'kra', 'flag')
	and strpos(' ' || Detail, ' ' || c.Name || '=') > 0)
    or Name <> 'CACertificate' and (Value is null or
	Name not in ('KRAFlags', 'KRACertCount', 'RoleSeparationEnabled'))
union all select 'setting ' || n from (select 'KRAFlags' n
    union select 'KRACertCount' union select 'RoleSeparationEnabled') s
    where n not in (select Name from config)
    and exists (select 1 from audit where Action in ('init', 'kra', 'flag')
	and strpos(' ' || Detail, ' ' || n || '=') > 0)
union all select 'certificate ' || RequestID from certificate
    where RequestID not in (select RequestID from request)

-- STRANGERS
select '' || RequestID from request where RawArchivedKey is not null
    and length(replace(KeyRecoveryHashes, ' ', '')) + 1 <>
    41 * (select count(*) from kra where
    strpos(replace(KeyRecoveryHashes, ' ', ''), CertificateHash) > 0)

-- INTEGRITY
select case when exists (select 1 from certificate
    group by Sha256 having count(*) > 1)
    then 'a certificate is there twice' else 'ok' end
