-- The archive of ca-db(5): its schema, and every statement that there is, under
-- its name in enum sql.  postgres.sql has those that are others in PostgreSQL.
-- sql.awk makes a table of each; values are only bound.

-- SCHEMA
create table request(
    RequestID integer primary key,
    RawArchivedKey blob, KeyRecoveryHashes text,
    StatusCode integer not null, Disposition integer not null,
    DispositionMessage text not null,
    SubmittedWhen text not null, ResolvedWhen text not null,
    RequesterName text not null, CallerName text not null,
    DistinguishedName text not null, CommonName text not null,
    OrgUnit text not null, Organization text not null, EMail text not null,
    KeyFormat text, KmsGroup text not null, KmsUser text not null,
    KmsMail text not null, MailboxGuid text not null, Source text not null,
    StreamId text not null, CertAudit integer not null, KeyAudit integer);
create index request_CertAudit on request(CertAudit);
create index request_KeyAudit on request(KeyAudit)
    where KeyAudit is not null;
create table certificate(
    RequestID integer primary key references request,
    RawCertificate blob not null, CertificateHash text not null,
    Sha256 text not null unique, SerialNumber text not null,
    IssuerName text not null, NotBefore text not null, NotAfter text not null,
    SubjectKeyIdentifier text not null, RawPublicKey blob,
    PublicKeyLength integer not null, PublicKeyAlgorithm text not null,
    RawPublicKeyAlgorithmParameters blob, SpkiHash text not null,
    UPN text not null, DistinguishedName text not null,
    CommonName text not null, OrgUnit text not null,
    Organization text not null, EMail text not null);
create index certificate_SerialNumber on certificate(SerialNumber);
create table name(NameID integer primary key,
    RequestID integer not null references request, KmsGroup text not null,
    KmsUser text not null, KmsMail text not null, MailboxGuid text not null,
    Source text not null, StreamId text not null, Replaces integer,
    AuditID integer not null);
create index name_RequestID on name(RequestID);
create index name_AuditID on name(AuditID);
create trigger name_update before update on name
    begin select raise(abort, 'the name table is append-only'); end;
create trigger name_delete before delete on name
    begin select raise(abort, 'the name table is append-only'); end;
create table keyversion(RequestID integer not null references request,
    RawArchivedKey blob not null, KeyRecoveryHashes text not null,
    KeyFormat text not null, AuditID integer not null,
    primary key(RequestID, AuditID));
create index keyversion_AuditID on keyversion(AuditID);
create table fault(FaultID integer primary key,
    FaultHash text not null unique, Source text not null,
    Reason text not null, Detail text not null, KmsGroup text not null,
    KmsUser text not null, StreamId text not null,
    AuditID integer not null);
create index fault_Source on fault(Source);
create index fault_AuditID on fault(AuditID);
create table cure(FaultID integer primary key references fault,
    RequestID integer not null references request,
    AuditID integer not null);
create index cure_AuditID on cure(AuditID);
create table kra(KraID integer primary key,
    CertificateHash text not null, Sha256 text not null unique,
    RawCertificate blob not null, AddedWhen text not null,
    AuditID integer not null);
create table config(Name text primary key, Value, AuditID integer not null)
    without rowid;
create table audit(AuditID integer primary key, AuditWhen text not null,
    Caller text not null, Action text not null, Detail text not null,
    Digest text not null, Hash text not null);
create trigger audit_update before update on audit
    begin select raise(abort, 'the audit table is append-only'); end;
create trigger audit_delete before delete on audit
    begin select raise(abort, 'the audit table is append-only'); end;
create trigger audit_insert before insert on audit
    when new.AuditID <= (select max(AuditID) from audit)
    begin select raise(abort, 'the audit table is append-only'); end;

-- What SQLite makes by itself is left out: indices of constraints, statistics.
-- SCHEMA_IS
select type, name, tbl_name, sql from sqlite_schema where sql is not null
    and sql not in ('CREATE TABLE sqlite_stat1(tbl,idx,stat)',
    'CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)') order by 1, 2

-- BEGIN
begin immediate

-- COMMIT
commit

-- ROLLBACK
rollback

-- A statement with rows to come keeps its view of the file.
-- HOLD
select 1 from sqlite_schema

-- Settings and agents

-- SETTING_SET
insert into config(Name, Value, AuditID) values ($1, $2, $3)
    on conflict (Name) do update set Value = $2, AuditID = $3

-- SETTING_GET
select Value from config where Name = $1

-- CA_SET
insert into config(Name, Value, AuditID) values ($1, $2, $3)
    on conflict (Name) do update set Value = $2, AuditID = $3

-- CA_GET
select Value from config where Name = $1

-- SETTING_NEXT
select Name, case typeof(Value) when 'integer' then Value end,
    case typeof(Value) when 'blob' then Value end, AuditID
    from config where Name > $1 order by Name limit 1

-- SETTING_COPY
insert into config(Name, Value, AuditID) values ($1, coalesce($2, $3), $4)
    on conflict (Name) do update set Value = excluded.Value,
    AuditID = excluded.AuditID where excluded.AuditID > config.AuditID

-- AGENT_FORCED
select count(*) from audit where Action in ('init', 'kra')
    and ' ' || Detail || ' ' like '% forced=' || $1 || ' %'

-- AGENT_IS
select count(*) from kra where Sha256 = $1

-- AGENT_LEFT
select count(*) - (select count(*) from audit where Action = 'kra'
	and ' ' || Detail || ' ' like '% back=' || $1 || ' %')
    from audit where Action = 'kra'
    and ' ' || Detail || ' ' like '% left=' || $1 || ' %'

-- AGENT_ADD
insert into kra(KraID, CertificateHash, Sha256, RawCertificate, AddedWhen,
    AuditID) values ((select coalesce(max(KraID), 0) + 1 from kra),
    $1, $2, $3, $4, $5) on conflict do nothing

-- AGENT_ALL
select RawCertificate from kra order by KraID

-- AGENT_COUNT
select count(*) from kra

-- AGENT_NEXT
select KraID, RawCertificate, AddedWhen, AuditID
    from kra where KraID > $1 order by KraID limit 1

-- AGENT_COPY
insert into kra(KraID, CertificateHash, Sha256, RawCertificate, AddedWhen,
    AuditID) values ($1, $2, $3, $4, $5, $6) on conflict do nothing

-- AGENT_OF
select Sha256 from kra where KraID = $1

-- Rows

-- FIND
select c.RequestID, r.KeyAudit is not null, r.KmsGroup, r.KmsUser, r.KmsMail
    from certificate c join request r using (RequestID) where c.Sha256 = $1

-- FIND_SERIAL
select RequestID from certificate join request using (RequestID)
    where SerialNumber = $1 and IssuerName = $2 and Disposition <> 12

-- ROW_OF
select Sha256 from certificate where RequestID = $1

-- ROW_LAST
select max(RequestID) from request

-- PUT_REQUEST
insert into request(RequestID, RawArchivedKey, KeyRecoveryHashes, KeyFormat,
    KeyAudit, StatusCode, Disposition, DispositionMessage, SubmittedWhen,
    ResolvedWhen, RequesterName, CallerName, DistinguishedName, CommonName,
    OrgUnit, Organization, EMail, KmsGroup, KmsUser, KmsMail, MailboxGuid,
    Source, StreamId, CertAudit) values ($1, $2, $3, $4, $5, 0, $6, $7, $8,
    $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)

-- PUT_CERT
insert into certificate values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
    $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)

-- PUT_KEY
update request set RawArchivedKey = $1, KeyRecoveryHashes = $2,
    KeyFormat = $3, KeyAudit = $4 where RequestID = $5 and KeyAudit is null

-- More names of a row

-- NAME_ADD
insert into name(NameID, RequestID, KmsGroup, KmsUser, KmsMail, MailboxGuid,
    Source, StreamId, Replaces, AuditID)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- NAME_LAST
select coalesce(max(NameID), 0) from name

-- All of a row; its own first.
-- NAMES_OF
select 0, RequestID, KmsGroup, KmsUser, KmsMail, MailboxGuid, Source,
    StreamId, null, CertAudit from request where RequestID = $1
union all select NameID, RequestID, KmsGroup, KmsUser, KmsMail, MailboxGuid,
    Source, StreamId, Replaces, AuditID from name where RequestID = $1
    order by 1

-- NAME_NEXT
select NameID, RequestID, KmsGroup, KmsUser, KmsMail, MailboxGuid, Source,
    StreamId, Replaces, AuditID
    from name where NameID > $1 order by NameID limit 1

-- NAME_IS
select NameID, RequestID, KmsGroup, KmsUser, KmsMail, MailboxGuid, Source,
    StreamId, Replaces, AuditID from name where NameID = $1

-- The next row that has other names.
-- NAMED
select coalesce(min(RequestID), 9223372036854775807) from name
    where RequestID > $1

-- Later versions of an archived key

-- VERSION_OF
select KeyRecoveryHashes, AuditID from keyversion where RequestID = $1
    union all select KeyRecoveryHashes, KeyAudit from request
    where RequestID = $1 and KeyAudit is not null order by 2 desc limit 1

-- VERSION_ADD
insert into keyversion values ($1, $2, $3, $4, $5) on conflict do nothing

-- VERSION_NEXT
select RequestID, RawArchivedKey, KeyRecoveryHashes, KeyFormat, AuditID
    from keyversion where (RequestID, AuditID) > ($1, $2)
    order by RequestID, AuditID limit 1

-- What a later version of the key of a row stands for, in order.
-- OLD_NEXT
select RawArchivedKey, KeyAudit, 1 from request where RequestID = $1
    and KeyAudit > $2 and RequestID in (select RequestID from keyversion)
    union all select RawArchivedKey, AuditID, 0 from keyversion
    where RequestID = $1 and AuditID > $2 and AuditID <
    (select max(AuditID) from keyversion where RequestID = $1)
    order by 2 limit 1

-- OLD_DROP
update request set RawArchivedKey = $1 where RequestID = $2

-- OLD_DROP_VERSION
update keyversion set RawArchivedKey = $1
    where RequestID = $2 and AuditID = $3

-- OLD_DROPPED
select (select count(*) from request where length(RawArchivedKey) = 32) +
    (select count(*) from keyversion where length(RawArchivedKey) = 32)

-- Faults

-- FAULT_ADD
insert into fault values ((select coalesce(max(FaultID), 0) + 1 from fault),
    $1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing

-- A key that came later from where something was not read: in another stream,
-- or, where none says so, by another run, of which $2 is the first commit.
-- FAULT_CURE
select FaultID, FaultHash, min(RequestID) from fault
    join (select Source, StreamId, RequestID, CertAudit, KeyAudit
	from request where KeyAudit = $1 and Source <> '') r using (Source)
    where (fault.StreamId <> r.StreamId or AuditID < $2 and
	(r.StreamId = '' or CertAudit < KeyAudit))
    and FaultID not in (select FaultID from cure) group by FaultID, FaultHash

-- The same of a key that is there, in row $1, and came from source $2 of stream
-- $3 now.
-- FAULT_CURE_NAME
select FaultID, FaultHash, cast($1 as bigint)
    from fault where Source = $2 and Source <> ''
    and (StreamId <> $3 or AuditID < $4 and StreamId = '')
    and FaultID not in (select FaultID from cure)

-- FAULT_NEXT
select FaultID, Source, Reason, Detail, KmsGroup, KmsUser, StreamId,
    fault.AuditID, cure.RequestID, cure.AuditID
    from fault left join cure using (FaultID)
    where FaultID > $1 order by FaultID limit 1

-- FAULT_OF
select FaultHash from fault where FaultID = $1

-- FAULT_COPY
insert into fault values ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- CURE_COPY
insert into cure values ($1, $2, $3) on conflict do nothing

-- Rows that are looked for, or selected

-- A row for each other name of one, and whether the two are former.
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
    where r.RequestID > $1 order by r.RequestID, n.NameID

-- COUNT
select count(*), max(r.RequestID)
    from request r join certificate c using (RequestID)

-- With the version of the key that is the last.
-- LIST
select r.RequestID, r.Disposition, r.SubmittedWhen, r.RequesterName,
    c.SubjectKeyIdentifier,
    coalesce(v.KeyRecoveryHashes, r.KeyRecoveryHashes, ''),
    coalesce(v.KeyFormat, r.KeyFormat, ''), r.KmsGroup, r.KmsUser, r.KmsMail,
    r.MailboxGuid, r.Source, r.StreamId, c.RawCertificate, r.CallerName, r.CertAudit,
    coalesce(v.AuditID, r.KeyAudit), null
    from request r join certificate c using (RequestID)
    left join keyversion v on v.RequestID = r.RequestID and v.AuditID =
    (select max(AuditID) from keyversion where RequestID = r.RequestID)
    where r.RequestID > $1 and r.RequestID <= $2 order by r.RequestID

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

-- With the first version, as older archives have them, too.
-- SELECT_FIRST
select r.RequestID, r.Disposition, r.SubmittedWhen, r.RequesterName,
    c.SubjectKeyIdentifier, coalesce(r.KeyRecoveryHashes, ''),
    coalesce(r.KeyFormat, ''), r.KmsGroup, r.KmsUser, r.KmsMail,
    r.MailboxGuid, r.Source, r.StreamId, c.RawCertificate, r.CallerName, r.CertAudit,
    r.KeyAudit, r.RawArchivedKey
    from request r join certificate c using (RequestID)
    where r.RequestID > $1 and r.RequestID <= $2 order by r.RequestID

-- The chain

-- COMMIT_ADD
insert into audit values ($1, $2, $3, $4, $5, $6, $7)

-- COMMIT_LAST
select AuditID, Hash from audit order by AuditID desc limit 1

-- COMMIT_OF
select Hash from audit where AuditID = $1

-- COMMIT_DIGEST
select Digest from audit where AuditID = $1

-- COMMIT_NEXT
select AuditID, AuditWhen, Caller, Action, Detail, Digest, Hash
    from audit where AuditID > $1 order by AuditID limit 1

-- COMMIT_SINCE
select AuditID, AuditWhen, Caller, Action, Detail, Digest, Hash
    from audit where AuditID > $1 and Action not in ('import', 'load', 'export')
    order by AuditID limit 1

-- COMMIT_PAGE
select AuditID, AuditWhen, Caller, Action, Detail, Digest, Hash
    from audit where AuditID >= $1 order by AuditID limit 1000

-- What a commit wrote, which its Digest is over: ca-db(5).  Settings that are
-- numbers stand in its Detail.

-- WROTE_ROWS
select coalesce(min(RequestID), 0), coalesce(max(RequestID), 0) from
    (select RequestID from request where CertAudit = $1 or KeyAudit = $1
    union all select RequestID from keyversion where AuditID = $1) u

-- WROTE_CERT
select r.RequestID, StatusCode, Disposition, DispositionMessage,
    SubmittedWhen, ResolvedWhen, RequesterName, CallerName,
    r.DistinguishedName, r.CommonName, r.OrgUnit, r.Organization, r.EMail,
    KmsGroup, KmsUser, KmsMail, MailboxGuid, Source, StreamId, c.*
    from request r left join certificate c using (RequestID)
    where CertAudit = $1 order by 1

-- WROTE_KEY
select RequestID, RawArchivedKey, KeyRecoveryHashes, KeyFormat
    from request where KeyAudit = $1 order by 1

-- Of a commit that is not done yet.
-- WROTE_KEY_NOW
select RequestID, RawArchivedKey, KeyRecoveryHashes, KeyFormat
    from request where KeyAudit = $1 order by 1

-- WROTE_VERSION
select RequestID, RawArchivedKey, KeyRecoveryHashes, KeyFormat
    from keyversion where AuditID = $1 order by 1

-- WROTE_VERSION_NOW
select RequestID, RawArchivedKey, KeyRecoveryHashes, KeyFormat
    from keyversion where AuditID = $1 order by 1

-- WROTE_NAME
select NameID, RequestID, KmsGroup, KmsUser, KmsMail, MailboxGuid, Source,
    StreamId, Replaces from name where AuditID = $1 order by 1

-- WROTE_FAULT
select FaultID, FaultHash, Source, Reason, Detail, KmsGroup, KmsUser, StreamId
    from fault where AuditID = $1 order by 1

-- WROTE_CURE
select FaultID, RequestID from cure where AuditID = $1 order by 1

-- WROTE_AGENT
select KraID, CertificateHash, Sha256, RawCertificate, AddedWhen
    from kra where AuditID = $1 order by 1

-- WROTE_CA
select Name, Value from config where Name = 'CACertificate' and AuditID = $1

-- What is wrong: each gives no row where nothing is

-- Is there anything that no commit accounts for?  A setting that is a number
-- stands in the Detail of the commit that set it last.
-- ORPHANS
select 'row ' || RequestID from request
    where CertAudit not in (select AuditID from audit)
    or KeyAudit is not null and KeyAudit not in (select AuditID from audit)
    or (KeyAudit is null) <> (RawArchivedKey is null)
    or KeyAudit is null and coalesce(KeyFormat, KeyRecoveryHashes) is not null
union all select 'version of the key of row ' || RequestID from keyversion v
    where AuditID not in (select AuditID from audit)
    or RequestID not in (select RequestID from request
	where KeyAudit < v.AuditID)
union all select 'fault ' || FaultID from fault
    where AuditID not in (select AuditID from audit)
union all select 'cure of fault ' || FaultID from cure
    where AuditID not in (select AuditID from audit)
    or FaultID not in (select FaultID from fault)
    or RequestID not in (select RequestID from request
	where KeyAudit is not null)
union all select 'the key of row ' || RequestID from request
    where length(RawArchivedKey) = 32
    and RequestID not in (select RequestID from keyversion)
union all select 'the key of row ' || RequestID from keyversion v
    where length(RawArchivedKey) = 32 and AuditID =
    (select max(AuditID) from keyversion w where w.RequestID = v.RequestID)
union all select 'KRA ' || KraID from kra
    where AuditID not in (select AuditID from audit)
union all select 'setting ' || Name from config c
    where not exists (select 1 from audit a where a.AuditID = c.AuditID and
	(Name = 'CACertificate' or
	' ' || Detail || ' ' like '% ' || Name || '=' || Value || ' %'))
    or AuditID <> (select max(AuditID) from audit
	where Action in ('init', 'kra', 'flag')
	and ' ' || Detail like '% ' || c.Name || '=%')
    or Name <> 'CACertificate' and (Value is null or Value <> 0 + Value or
	Name not in ('KRAFlags', 'KRACertCount', 'RoleSeparationEnabled'))
union all select 'setting ' || n from (select 'KRAFlags' n
    union select 'KRACertCount' union select 'RoleSeparationEnabled') s
    where n not in (select Name from config)
    and exists (select 1 from audit where Action in ('init', 'kra', 'flag')
	and ' ' || Detail like '% ' || n || '=%')
union all select 'certificate ' || RequestID from certificate
    where RequestID not in (select RequestID from request)
union all select 'name ' || NameID from name n
    where AuditID not in (select AuditID from audit)
    or RequestID not in (select RequestID from request)
    or Replaces <> 0 and not exists (select 1 from name o
	where o.NameID = n.Replaces and o.RequestID = n.RequestID
	and o.NameID < n.NameID)

-- Is there anything of a commit that is still to come?
-- AHEAD
select 'KRA ' || KraID, AuditID from kra where AuditID >= $1
union all select 'setting ' || Name, AuditID from config where AuditID >= $1
union all select 'row ' || RequestID, CertAudit from request
    where CertAudit >= $1
union all select 'the key of row ' || RequestID, KeyAudit from request
    where KeyAudit >= $1
union all select 'name ' || NameID, AuditID from name where AuditID >= $1
union all select 'version of the key of row ' || RequestID, AuditID
    from keyversion where AuditID >= $1
union all select 'fault ' || FaultID, AuditID from fault where AuditID >= $1
union all select 'cure of fault ' || FaultID, AuditID from cure
    where AuditID >= $1 limit 1

-- Is a key encrypted to somebody else?  Hashes stand as "01 23 ..", an LF
-- between two: 41 bytes for each.
-- STRANGERS
select '' || RequestID from
    (select RequestID, KeyRecoveryHashes, KeyAudit from request
    where RawArchivedKey is not null
    union all select RequestID, KeyRecoveryHashes, AuditID from keyversion) u
    where length(replace(KeyRecoveryHashes, ' ', '')) + 1 <>
    41 * (select count(*) from kra where
    replace(KeyRecoveryHashes, ' ', '') like '%' || CertificateHash || '%')
    and not exists (select 1 from audit where AuditID = KeyAudit
    and Action = 'load')

-- INTEGRITY
pragma integrity_check(1)
