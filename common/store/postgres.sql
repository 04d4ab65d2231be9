-- The archive of ca-db(5) in PostgreSQL: its schema, and the statements that
-- are others there than in sqlite.sql.
--
-- A role may have fewer rights than the owner.  Append-only and written once are
-- triggers that hold for all.  For all but the owner the server itself says what
-- commit writes a row, and when, by whom and with which Hash that commit is
-- made.  What no commit follows is rolled back, by the references to audit.  The
-- owner restores what another archive held.  key_of() shows an importer, who may
-- read no key, what its own transaction wrote.
--
-- Every name is qualified: to make a schema to compare with, another stands for
-- kms2ca.

-- SCHEMA
create table kms2ca.audit(AuditID bigint primary key,
    AuditWhen text collate "C" not null, Caller text collate "C" not null,
    Action text collate "C" not null, Detail text collate "C" not null,
    Digest text collate "C" not null, Hash text collate "C" not null);
create table kms2ca.request(
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
    StreamId text collate "C" not null, CertAudit bigint not null
    references kms2ca.audit deferrable initially deferred,
    KeyAudit bigint references kms2ca.audit deferrable initially deferred);
alter table kms2ca.request alter RawArchivedKey set storage external;
create index request_CertAudit on kms2ca.request(CertAudit);
create index request_KeyAudit on kms2ca.request(KeyAudit)
    where KeyAudit is not null;
create table kms2ca.certificate(
    RequestID bigint primary key references kms2ca.request,
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
create index certificate_SerialNumber on kms2ca.certificate(SerialNumber);
create table kms2ca.name(NameID bigint primary key,
    RequestID bigint not null references kms2ca.request,
    KmsGroup text collate "C" not null, KmsUser text collate "C" not null,
    KmsMail text collate "C" not null, MailboxGuid text collate "C" not null,
    Source text collate "C" not null, StreamId text collate "C" not null,
    Replaces bigint, AuditID bigint not null
    references kms2ca.audit deferrable initially deferred);
create index name_RequestID on kms2ca.name(RequestID);
create index name_AuditID on kms2ca.name(AuditID);
create table kms2ca.keyversion(
    RequestID bigint not null references kms2ca.request,
    RawArchivedKey bytea not null,
    KeyRecoveryHashes text collate "C" not null,
    KeyFormat text collate "C" not null, AuditID bigint not null
    references kms2ca.audit deferrable initially deferred,
    primary key(RequestID, AuditID));
alter table kms2ca.keyversion alter RawArchivedKey set storage external;
create index keyversion_AuditID on kms2ca.keyversion(AuditID);
create table kms2ca.fault(FaultID bigint primary key,
    FaultHash text collate "C" not null unique,
    Source text collate "C" not null, Reason text collate "C" not null,
    Detail text collate "C" not null, KmsGroup text collate "C" not null,
    KmsUser text collate "C" not null, StreamId text collate "C" not null,
    AuditID bigint not null
    references kms2ca.audit deferrable initially deferred);
create index fault_Source on kms2ca.fault using hash (Source);
create index fault_AuditID on kms2ca.fault(AuditID);
create table kms2ca.cure(
    FaultID bigint primary key references kms2ca.fault,
    RequestID bigint not null references kms2ca.request,
    AuditID bigint not null
    references kms2ca.audit deferrable initially deferred);
create index cure_AuditID on kms2ca.cure(AuditID);
create table kms2ca.kra(KraID bigint primary key,
    CertificateHash text collate "C" not null,
    Sha256 text collate "C" not null unique,
    RawCertificate bytea not null, AddedWhen text collate "C" not null,
    AuditID bigint not null
    references kms2ca.audit deferrable initially deferred);
create table kms2ca.config(Name text collate "C" primary key, Value bigint,
    Certificate bytea, AuditID bigint not null
    references kms2ca.audit deferrable initially deferred);
-- An archived key is written once; the owner may put its hash in its place.
create function kms2ca.once() returns trigger language plpgsql
    set search_path = pg_catalog as
    'begin
	if pg_has_role((select relowner from pg_class where oid = tg_relid),
	    ''usage'') and new.RawArchivedKey = sha256(old.RawArchivedKey) and
	    to_jsonb(new) - ''rawarchivedkey'' =
	    to_jsonb(old) - ''rawarchivedkey'' then
	    return new;
	end if;
	raise exception ''an archived key is written once'';
    end';
create function kms2ca.refuse() returns trigger language plpgsql
    set search_path = pg_catalog as
    'begin raise exception ''%'', tg_argv[0]; end';
-- A text as it is hashed: its length, a colon, the bytes that are meant.
create function kms2ca.field(text) returns bytea language sql immutable
    set search_path = pg_catalog as
    'select convert_to(octet_length(b) || '':'', ''UTF8'') || b from
    (select coalesce(string_agg(case n when 1 then convert_to(s, ''UTF8'')
    else decode(left(s, 2), ''hex'') || convert_to(substr(s, 3), ''UTF8'')
    end, '''' order by n), '''') b from
    unnest(string_to_array($1, chr(65533))) with ordinality u(s, n)) t';
create function kms2ca.stamp() returns trigger language plpgsql
    set search_path = pg_catalog as
    'declare next bigint := 1 + coalesce((select max(AuditID)
	from kms2ca.audit), 0);
    begin
	if pg_has_role((select relowner from pg_class where oid = tg_relid),
	    ''usage'') then
	    return new;
	end if;
	if tg_table_name = ''request'' then
	    if tg_op = ''INSERT'' then new.CertAudit := next; end if;
	    new.KeyAudit := case when new.RawArchivedKey is not null
		then next end;
	elsif tg_table_name = ''certificate'' then
	    if next <> (select CertAudit from kms2ca.request r
		where r.RequestID = new.RequestID) then
		raise exception ''a certificate is written with its row'';
	    end if;
	elsif tg_table_name <> ''audit'' then
	    new.AuditID := next;
	else
	    if new.Action in (''init'', ''kra'') or new.Action = ''import'' and
		not has_table_privilege(''kms2ca.request'', ''insert'') or
		new.Action = ''rekey'' and
		not has_table_privilege(''kms2ca.keyversion'', ''insert'') or
		new.Action = ''flag'' and not has_any_column_privilege(
		''kms2ca.config'', ''insert'') or new.Action = ''name'' and
		not has_table_privilege(''kms2ca.name'', ''insert'') or
		new.Action not in (''import'', ''name'', ''rekey'') and
		new.Digest <> encode(sha256(''''), ''hex'') then
		raise exception ''permission denied for a commit: %'',
		    new.Action using errcode = ''insufficient_privilege'';
	    end if;
	    new.AuditID := next;
	    new.AuditWhen := to_char(clock_timestamp() at time zone ''UTC'',
		''YYYY-MM-DD"T"HH24:MI:SS"Z"'');
	    new.Caller := new.Caller || '' ('' || session_user || '')'';
	    new.Hash := encode(sha256(convert_to(coalesce((select Hash
		from kms2ca.audit where AuditID = next - 1), ''''), ''UTF8'') ||
		kms2ca.field(next::text) || kms2ca.field(new.AuditWhen) ||
		kms2ca.field(new.Caller) || kms2ca.field(new.Action) ||
		kms2ca.field(new.Detail) || kms2ca.field(new.Digest)), ''hex'');
	end if;
	return new;
    end';
create trigger audit_append before update or delete or truncate
    on kms2ca.audit
    execute function kms2ca.refuse('the audit table is append-only');
create trigger audit_stamp before insert on kms2ca.audit for each row
    execute function kms2ca.stamp();
create trigger request_once before update on kms2ca.request for each row
    when (old.KeyAudit is not null) execute function kms2ca.once();
create trigger request_stamp before insert or update on kms2ca.request
    for each row execute function kms2ca.stamp();
create trigger certificate_stamp before insert on kms2ca.certificate
    for each row execute function kms2ca.stamp();
create trigger name_append before update or delete or truncate
    on kms2ca.name
    execute function kms2ca.refuse('the name table is append-only');
create trigger name_stamp before insert on kms2ca.name for each row
    execute function kms2ca.stamp();
create trigger keyversion_once before update on kms2ca.keyversion
    for each row execute function kms2ca.once();
create trigger keyversion_stamp before insert on kms2ca.keyversion
    for each row execute function kms2ca.stamp();
create trigger fault_stamp before insert or update on kms2ca.fault
    for each row execute function kms2ca.stamp();
create trigger cure_stamp before insert or update on kms2ca.cure
    for each row execute function kms2ca.stamp();
create trigger config_stamp before insert or update on kms2ca.config
    for each row execute function kms2ca.stamp();
create function kms2ca.key_of(bigint) returns table(RequestID bigint,
    RawArchivedKey bytea, KeyRecoveryHashes text, KeyFormat text)
    language sql stable security definer set search_path = pg_catalog as
    'select RequestID, RawArchivedKey, KeyRecoveryHashes, KeyFormat
    from kms2ca.request where KeyAudit = $1 and not exists
    (select 1 from kms2ca.audit where AuditID = $1) order by 1';
create function kms2ca.version_of(bigint) returns table(RequestID bigint,
    RawArchivedKey bytea, KeyRecoveryHashes text, KeyFormat text)
    language sql stable security definer set search_path = pg_catalog as
    'select RequestID, RawArchivedKey, KeyRecoveryHashes, KeyFormat
    from kms2ca.keyversion where AuditID = $1 and not exists
    (select 1 from kms2ca.audit where AuditID = $1) order by 1';
-- Whoever writes holds this lock until the end of the transaction.
create function kms2ca.writer() returns void
    language sql security definer set search_path = pg_catalog as
    'lock table kms2ca.audit in share row exclusive mode';
revoke all on function kms2ca.key_of, kms2ca.version_of, kms2ca.writer
    from public

-- NEW_SCHEMA
create schema kms2ca

-- NAME_SCHEMA
comment on schema kms2ca is 'kms2ca archive, version 4'

-- Who owns what, and who may do what, is left out.  $1 is kms2ca, or pg_temp for
-- the schema to compare with, which is given as if it were kms2ca.  What the
-- server prints qualifies names or not, as the search path has it.
-- SCHEMA_IS
with here as (select oid from pg_namespace where oid = case $1
    when 'pg_temp' then pg_my_temp_schema()
    else (select oid from pg_namespace where nspname = $1) end),
    rel as (select * from pg_class
    where relnamespace in (select oid from here)), def as (
select 'relation' kind, relname::text id, concat(relkind,
    replace(relpersistence::text, 't', 'p'), relrowsecurity, relhasrules,
    relhassubclass, relispartition) def from rel
union all select 'column', concat(relname, '.', to_char(attnum, '00'),
    attname), concat_ws(' ',
    format_type(atttypid, atttypmod), attnotnull, attcollation,
    attisdropped, attidentity, attgenerated, pg_get_expr(adbin, adrelid))
    from rel join pg_attribute on attrelid = rel.oid left join pg_attrdef
    on adrelid = attrelid and adnum = attnum where attnum > 0
union all select 'index', relname::text,
    concat(pg_get_indexdef(indexrelid), indisvalid)
    from rel join pg_index on indexrelid = rel.oid
union all select 'constraint', conname::text, concat(relname, ' ',
    pg_get_constraintdef(c.oid), convalidated)
    from rel join pg_constraint c on conrelid = rel.oid where contype <> 'n'
union all select 'trigger', tgname::text,
    concat(pg_get_triggerdef(t.oid), tgenabled)
    from rel join pg_trigger t on tgrelid = rel.oid where not tgisinternal
union all select 'rule', rulename::text, pg_get_ruledef(r.oid)
    from rel join pg_rewrite r on ev_class = rel.oid
union all select 'policy', polname::text, pg_get_expr(polqual, polrelid)
    from rel join pg_policy on polrelid = rel.oid
union all select 'operator', oid::regoperator::text, oprcode::text
    from pg_operator where oprnamespace in (select oid from here)
union all select 'function', concat(proname, '(',
    pg_get_function_arguments(oid), ') ', pg_get_function_result(oid)),
    concat_ws(' ',
    (select lanname from pg_language l where l.oid = prolang), prosecdef,
    provolatile, proconfig, prosrc) from pg_proc
    where pronamespace in (select oid from here))
select kind, id collate "C", case when kind <> 'function'
    then regexp_replace(def, '(kms2ca|pg_temp(_[0-9]+)?)[.]', '', 'g')
    when $1 = 'pg_temp' then replace(def, 'pg_temp', 'kms2ca')
    else def end from def order by 1, 2

-- OPEN
set search_path = kms2ca, pg_temp;
set lock_timeout = '120s';
set quote_all_identifiers = off;
select set_config('synchronous_commit', 'on', false)
    where current_setting('synchronous_commit') = 'off';
select current_setting('server_encoding'), current_setting('fsync'),
    current_setting('full_page_writes'),
    coalesce(current_setting('kms2ca.unsafe', true), ''),
    pg_is_in_recovery()::text

-- FIND_ARCHIVE
select obj_description(oid, 'pg_namespace'),
    exists (select 1 from pg_class where relnamespace = n.oid),
    has_schema_privilege(oid, 'usage'),
    nspowner = (select oid from pg_roles where rolname = current_user)
    from pg_namespace n where nspname = 'kms2ca'

-- Two may make an archive at once; the number is "kms2ca".
-- BEGIN_NEW
begin isolation level read committed read write;
select pg_advisory_xact_lock(118117828289377)

-- BEGIN
begin isolation level read committed read write;
select kms2ca.writer()

-- HOLD
begin isolation level repeatable read read only;
select 1

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
    r.KmsGroup, r.KmsUser, r.KmsMail from certificate c join request r using (RequestID)
    where c.Sha256 = any(string_to_array($1, ','))

-- NAMES
select r.RequestID, r.KmsGroup, r.KmsUser, r.KmsMail, c.CommonName, c.UPN,
    c.EMail, r.RequesterName, c.SerialNumber, c.CertificateHash, c.Sha256,
    c.SubjectKeyIdentifier, c.NotBefore, c.NotAfter,
    n.NameID, n.KmsGroup, n.KmsUser, n.KmsMail,
    exists (select 1 from name o where o.RequestID = r.RequestID
	and o.Replaces = 0), exists (select 1 from name o
	where o.RequestID = r.RequestID and o.Replaces = n.NameID),
    r.Source, n.Source
    from request r join certificate c using (RequestID)
    left join name n using (RequestID)
    where r.RequestID > $1 and r.RequestID <= (select max(RequestID) from
	(select RequestID from request where RequestID > $1
	order by RequestID limit 10000) p)
    order by r.RequestID, n.NameID

-- LIST
select r.RequestID, r.Disposition, r.SubmittedWhen, r.RequesterName,
    c.SubjectKeyIdentifier,
    coalesce(v.KeyRecoveryHashes, r.KeyRecoveryHashes, ''),
    coalesce(v.KeyFormat, r.KeyFormat, ''), r.KmsGroup, r.KmsUser, r.KmsMail,
    r.MailboxGuid, r.Source, r.StreamId, c.RawCertificate, r.CallerName, r.CertAudit,
    coalesce(v.AuditID, r.KeyAudit), null::bytea
    from request r join certificate c using (RequestID)
    left join keyversion v on v.RequestID = r.RequestID and v.AuditID =
    (select max(AuditID) from keyversion where RequestID = r.RequestID)
    where r.RequestID > $1 and r.RequestID <= $2 order by r.RequestID
    limit 1000

-- SELECT
select r.RequestID, r.Disposition, r.SubmittedWhen, r.RequesterName,
    c.SubjectKeyIdentifier,
    coalesce(v.KeyRecoveryHashes, r.KeyRecoveryHashes, ''),
    coalesce(v.KeyFormat, r.KeyFormat, ''), r.KmsGroup, r.KmsUser, r.KmsMail,
    r.MailboxGuid, r.Source, r.StreamId, c.RawCertificate, r.CallerName, r.CertAudit,
    coalesce(v.AuditID, r.KeyAudit),
    coalesce(v.RawArchivedKey, r.RawArchivedKey)
    from request r join certificate c using (RequestID)
    left join keyversion v on v.RequestID = r.RequestID and v.AuditID =
    (select max(AuditID) from keyversion where RequestID = r.RequestID)
    where r.RequestID > $1 and r.RequestID <= $2 order by r.RequestID
    limit 100

-- SELECT_FIRST
select r.RequestID, r.Disposition, r.SubmittedWhen, r.RequesterName,
    c.SubjectKeyIdentifier, coalesce(r.KeyRecoveryHashes, ''),
    coalesce(r.KeyFormat, ''), r.KmsGroup, r.KmsUser, r.KmsMail,
    r.MailboxGuid, r.Source, r.StreamId, c.RawCertificate, r.CallerName, r.CertAudit,
    r.KeyAudit, r.RawArchivedKey
    from request r join certificate c using (RequestID)
    where r.RequestID > $1 and r.RequestID <= $2 order by r.RequestID limit 100

-- WROTE_KEY_NOW
select * from key_of($1)

-- WROTE_VERSION_NOW
select * from version_of($1)

-- WROTE_CA
select Name, Certificate from config
    where Name = 'CACertificate' and AuditID = $1

-- INTEGRITY
select case when exists (select 1 from certificate
    group by Sha256 having count(*) > 1)
    then 'a certificate is there twice' else 'ok' end
