-- what other wire formats know of: users and signed keys, organizations, companies, events, fields of one list, marks, hooks
-- depends: 20261121_02_contact_side

-- migrate: apply

-- A number of accounts under one public key. No wall: it is needed before an account is known.
create table organization (
    organization_id bigint primary key generated always as identity,
    name text not null,
    name_key text not null unique,
    api_keys text[] not null,
    redirect_hosts text[] not null default '{}',
    redirect_secret text not null,
    redirect_digest text not null default 'md5' check (redirect_digest in ('md5', 'sha1')),
    networks cidr[] not null default '{}',
    created_at timestamptz not null default now()
);
create index organization_by_key on organization using gin (api_keys);

-- secret: 32 bytes that nobody outside ever sees; ids and links that must not be guessed are made with it.
alter table account
    add column organization_id bigint,
    add column secret bytea not null default uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()),
    add column last_hook_no integer not null default 0,
    add column last_import_no integer not null default 0;

-- Principals that are users (a name and a password) or sign with a key; and tokens that are sessions.
alter table principal drop constraint principal_kind_check;
alter table principal add constraint principal_kind_check check (kind in ('token', 'user', 'key'));

create table login (
    principal_id uuid primary key references principal (principal_id) on delete cascade,
    name text not null,
    name_key text not null unique,
    password_hash text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create table signing_key (
    key_id text primary key,
    principal_id uuid not null references principal (principal_id) on delete cascade,
    secret text not null,
    created_at timestamptz not null default now(),
    revoked_at timestamptz
);
create index signing_key_by_principal on signing_key (principal_id);

-- Who may open sessions for the accounts of an organization.
create table organization_administrator (
    organization_id bigint not null references organization (organization_id) on delete cascade,
    principal_id uuid not null references principal (principal_id) on delete cascade,
    primary key (organization_id, principal_id)
);

-- home: the account that is meant when none is named; each principal has one.
alter table principal_grant add column home boolean not null default false;
update principal_grant set home = true;
create unique index principal_grant_home on principal_grant (principal_id) where home;

-- account_id: the account that the token is for, when it is not the principal's home; slides: how far each use moves the
-- end on. A session is a token that a visitor's login has made, a program's is one that its own has; a sign-on is one for a
-- single use by another program.
alter table token
    add column purpose text not null default 'api' check (purpose in ('api', 'session', 'sign_on', 'program')),
    add column account_id bigint,
    add column slides interval;
create index token_by_expiry on token (expires_at) where purpose <> 'api';

-- profile: further properties by name, as JSON; birthday_year goes with the month and day.
alter table contact
    add column birthday_year smallint,
    add column profile jsonb,
    add column demographic_score numeric,
    add column activity_score numeric;
-- Who has an address that another had before.
create index contact_twins on contact (account_id, email_key) where email_ordinal > 0;

-- set_no: the list whose members have the field, null for everybody; choices: [{"choice_no", "value", "in_use"}] in their
-- order; property: the property of the contact that the field is another name of.
alter table custom_field drop constraint custom_field_type_check;
alter table custom_field
    add constraint custom_field_type_check check (type in (
        'string', 'text', 'date', 'number', 'boolean', 'choice', 'choices', 'email', 'mobile', 'address', 'file', 'static'
    )),
    add column set_no integer,
    add column choices jsonb,
    add column editability text not null default 'hidden' check (editability in ('hidden', 'visible', 'editable')),
    add column default_value text,
    add column position integer,
    add column required boolean not null default false,
    add column property text check (property in ('email', 'first_name', 'last_name', 'mobile'));
drop index custom_field_by_name;
create unique index custom_field_by_name on custom_field (account_id, coalesce(set_no, 0), name_key)
    where deleted_at is null;

-- Companies and events are named sets, too: of those who belong to one, of those who are invited. abbreviation: of a tag;
-- details: further properties by name, as JSON.
alter table contact_set drop constraint contact_set_kind_check;
alter table contact_set
    add constraint contact_set_kind_check
        check (kind in ('list', 'tag', 'system', 'tracking', 'company', 'event')),
    add column abbreviation text,
    add column details jsonb;

-- lowest, highest: bounds of the members of a chunk. cell: the smallest of the runs of 1, 16, 256 and 16,384 bits that has
-- them all, numbered in their chunk 16384.., 1024.., 64.. and 1, with 32768 for each chunk before. So the many sets that have
-- few members, as companies do, are found by their members. What is not told how its members lie has them anywhere.
-- In one number, so that nothing that is looked up by set and chunk could be read by this index: to a planner that knows
-- nothing of an account an index on the chunk seems as good as the key.
alter table set_chunk
    add column lowest smallint not null default 0,
    add column highest smallint not null default 16383,
    add column cell bigint not null generated always as (chunk * 32768::bigint + ((16384 + lowest) >> case
        when lowest = highest then 0
        when lowest >> 4 = highest >> 4 then 4
        when lowest >> 8 = highest >> 8 then 8
        else 14
    end)) stored;
create index set_chunk_by_cell on set_chunk (account_id, cell);

create table event (
    account_id bigint not null,
    set_no integer not null,
    code text,
    starts_at timestamptz,
    ends_at timestamptz,
    cancelled_at timestamptz,
    primary key (account_id, set_no)
);

-- What invited contacts answered; who has no row here has not.
create table response (
    account_id bigint not null,
    set_no integer not null,
    contact_no bigint not null,
    answer text not null check (answer in ('yes', 'no')),
    answered_at timestamptz not null,
    primary key (account_id, set_no, contact_no)
);

-- Rare facts of a contact in a list (set_no), or in the account as a whole (set_no 0).
create table mark (
    account_id bigint not null,
    kind text not null check (kind in ('unsubscribed', 'bounced', 'complained')),
    set_no integer not null,
    contact_no bigint not null,
    marked_at timestamptz not null,
    primary key (account_id, kind, set_no, contact_no)
);
-- As of contact: an account that is not seen yet would be one without marks.
alter table mark alter column account_id set statistics 0;

alter table campaign add column complained_set integer;

-- Addresses of other programs that are told of what happens.
create table hook (
    account_id bigint not null,
    hook_no integer not null,
    name text not null,
    name_key text not null,
    url text not null,
    secret text not null,
    created_at timestamptz not null,
    deleted_at timestamptz,
    primary key (account_id, hook_no)
);
create unique index hook_by_name on hook (account_id, name_key) where deleted_at is null;

-- Calls that are to be made: of a hook for contacts, or of a URL for an activity. No wall: workers look for what is due in
-- every account; nothing of a contact but its number is in it.
create table hook_call (
    account_id bigint not null,
    call_id uuid not null default gen_random_uuid(),
    hook_no integer,
    url text,
    activity_id uuid,
    contact_nos bigint[] not null default '{}',
    attempts integer not null default 0,
    created_at timestamptz not null default now(),
    due_at timestamptz not null default now(),
    ended_at timestamptz,
    outcome text,
    primary key (account_id, call_id)
);
create index hook_call_due on hook_call (due_at) where ended_at is null;

-- What came of each item of an activity that does calls.
create table activity_result (
    account_id bigint not null,
    sequence bigint not null,
    item integer not null,
    failed boolean not null,
    result json not null,
    primary key (account_id, sequence, item)
);

-- The further attempts at an activity.
create index activity_by_first on activity (account_id, retry_of) where retry_of is not null;

-- An import that is put together piece by piece before it is an activity. parts: how many pieces it has; contacts: how
-- many contacts are in them; invalid_emails, invalid_mobiles: how many values of these kinds were left out.
create table staged_import (
    account_id bigint not null,
    import_no integer not null,
    set_no integer not null,
    field_nos integer[] not null,
    activity_id uuid,
    created_at timestamptz not null,
    parts integer not null default 0,
    contacts integer not null default 0,
    invalid_emails integer not null default 0,
    invalid_mobiles integer not null default 0,
    primary key (account_id, import_no)
);

create table staged_contacts (
    account_id bigint not null,
    import_no integer not null,
    part integer not null,
    contacts json not null,
    primary key (account_id, import_no, part)
);

do $$
declare
    walled text;
begin
    foreach walled in array array[
        'event', 'response', 'mark', 'hook', 'activity_result', 'staged_import', 'staged_contacts'
    ]
    loop
        execute format('alter table %I enable row level security', walled);
        execute format('alter table %I force row level security', walled);
        execute format(
            'create policy account_wall on %I '
            'using (account_id = nullif(current_setting(''muster.account_id'', true), '''')::bigint)',
            walled
        );
    end loop;
end
$$;

-- migrate: rollback

drop index activity_by_first;
drop table staged_contacts, staged_import, activity_result, hook_call, hook, mark, response, event;
alter table contact_set no force row level security;
alter table set_chunk no force row level security;
alter table custom_field no force row level security;
delete from set_chunk c using contact_set s
where s.account_id = c.account_id and s.set_no = c.set_no and s.kind in ('company', 'event');
delete from contact_set where kind in ('company', 'event');
delete from custom_field where set_no is not null or type not in ('string', 'date');
alter table custom_field force row level security;
alter table contact_set force row level security;
alter table set_chunk force row level security;
drop index set_chunk_by_cell;
alter table set_chunk drop column cell, drop column highest, drop column lowest;
alter table contact_set drop column abbreviation, drop column details;
alter table contact_set drop constraint contact_set_kind_check;
alter table contact_set add constraint contact_set_kind_check check (kind in ('list', 'tag', 'system', 'tracking'));
drop index custom_field_by_name;
create unique index custom_field_by_name on custom_field (account_id, name_key) where deleted_at is null;
alter table custom_field drop constraint custom_field_type_check;
alter table custom_field
    add constraint custom_field_type_check check (type in ('string', 'date')),
    drop column set_no, drop column choices, drop column editability, drop column default_value, drop column position,
    drop column required, drop column property;
alter table campaign drop column complained_set;
drop index contact_twins;
alter table contact
    drop column birthday_year, drop column profile, drop column demographic_score, drop column activity_score;
drop index token_by_expiry;
delete from token where purpose <> 'api';
alter table token drop column purpose, drop column account_id, drop column slides;
drop index principal_grant_home;
delete from principal_grant where not home;
alter table principal_grant drop column home;
drop table organization_administrator, signing_key, login;
delete from principal where kind <> 'token';
alter table principal drop constraint principal_kind_check;
alter table principal add constraint principal_kind_check check (kind in ('token'));
alter table account
    drop column organization_id, drop column secret, drop column last_hook_no, drop column last_import_no;
drop table organization;
