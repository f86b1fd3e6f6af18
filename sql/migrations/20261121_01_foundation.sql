-- the foundation: accounts, contacts, contact sets, activities and their effects
-- depends:

-- migrate: apply

-- Every table of an account's data leads its keys with account_id and stands behind a wall (row-level security, at the
-- end of this file). Chunk bits are kept in the row and compressed there: storage main.

create sequence account_id_seq as bigint;

-- The account row is the lock of the account's order: submit, claim and finish take it.
create table account (
    account_id bigint primary key default nextval('account_id_seq'),
    name text not null,
    last_sequence bigint not null default 0,
    last_contact_no bigint not null default 0,
    last_set_no integer not null default 0,
    last_segment_id integer not null default 0,
    last_field_no integer not null default 0,
    unfinished integer not null default 0,
    created_at timestamptz not null default now()
) with (fillfactor = 50);

create table contact (
    account_id bigint not null,
    contact_no bigint not null,
    contact_id uuid not null default gen_random_uuid(),
    email text,
    email_key text,
    email_ordinal integer not null default 0,
    permission text not null default 'implicit' check (
        permission in ('implicit', 'explicit', 'pending_confirmation', 'unsubscribed', 'temp_hold', 'not_set')
    ),
    first_name text,
    last_name text,
    job_title text,
    company_name text,
    birthday_month smallint,
    birthday_day smallint,
    anniversary date,
    create_source text not null default 'Account' check (create_source in ('Account', 'Contact')),
    update_source text check (update_source in ('Account', 'Contact')),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz,
    email_created_at timestamptz,
    email_updated_at timestamptz,
    opt_in_source text check (opt_in_source in ('Account', 'Contact')),
    opt_in_date timestamptz,
    opt_out_source text check (opt_out_source in ('Account', 'Contact')),
    opt_out_date timestamptz,
    opt_out_reason text,
    confirm_status text not null default 'off' check (confirm_status in ('pending', 'confirmed', 'off')),
    custom_values jsonb,
    phone_numbers jsonb,
    street_addresses jsonb,
    notes jsonb,
    sms_channel jsonb,
    primary key (account_id, contact_no)
);
create unique index contact_by_id on contact (account_id, contact_id);
create unique index contact_by_email on contact (account_id, email_key, email_ordinal);
-- From statistics the planner would take an account that it has not seen yet for one without rows, find all three indexes
-- equally good, since all begin with account_id, and read the whole account for each row.
alter table contact alter column account_id set statistics 0;

create table custom_field (
    account_id bigint not null,
    field_no integer not null,
    field_id uuid not null default gen_random_uuid(),
    label text not null,
    name text not null,
    name_key text not null,
    type text not null check (type in ('string', 'date')),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (account_id, field_no)
);
create unique index custom_field_by_id on custom_field (account_id, field_id);
create unique index custom_field_by_name on custom_field (account_id, name_key);

-- The named sets (lists, tags) and the system sets, whose numbers are negative (engine/sets/catalog.py).
create table contact_set (
    account_id bigint not null,
    set_no integer not null,
    set_id uuid not null default gen_random_uuid(),
    kind text not null check (kind in ('list', 'tag', 'system')),
    name text not null,
    name_key text not null,
    description text,
    favorite boolean not null default false,
    source text,
    member_count bigint not null default 0,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz,
    primary key (account_id, set_no)
) with (fillfactor = 80);
create unique index contact_set_by_id on contact_set (account_id, set_id);
create unique index contact_set_by_name on contact_set (account_id, kind, name_key) where deleted_at is null;

create table set_chunk (
    account_id bigint not null,
    set_no integer not null,
    chunk integer not null,
    bits bit varying not null,
    primary key (account_id, set_no, chunk)
);
alter table set_chunk alter column bits set storage main;

create table segment (
    account_id bigint not null,
    segment_id integer not null,
    name text not null,
    name_key text not null,
    criteria text not null,
    created_at timestamptz not null,
    edited_at timestamptz not null,
    deleted_at timestamptz,
    primary key (account_id, segment_id)
);
create unique index segment_by_name on segment (account_id, name_key) where deleted_at is null;

-- One row an activity: the truth about it, and the outbox of the queue.
create table activity (
    account_id bigint not null,
    sequence bigint not null,
    activity_id uuid not null,
    kind text not null,
    queue text not null,
    state text not null default 'initialized' check (
        state in ('initialized', 'processing', 'completed', 'cancelled', 'failed', 'timed_out')
    ),
    principal_id uuid not null,
    request json not null,
    reads integer[] not null,
    writes integer[] not null,
    shareable boolean not null,
    listed boolean not null default true,
    retry_of uuid,
    source_file_name text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    started_at timestamptz,
    completed_at timestamptz,
    attempts integer not null default 0,
    fence integer not null default 0,
    cancel_requested boolean not null default false,
    batch integer not null default 0,
    cursor json,
    items_total bigint not null default 0,
    items_completed bigint not null default 0,
    changed_count bigint not null default 0,
    error_count bigint not null default 0,
    counts json,
    failure_code text,
    failure text,
    primary key (account_id, sequence)
) with (fillfactor = 70);
alter table activity alter column request set storage external;
create unique index activity_by_id on activity (account_id, activity_id);
create index activity_unfinished on activity (account_id, sequence) where state in ('initialized', 'processing');

-- One row for every activity that is in the queue or being worked on. No wall: the sweeper looks for overdue ones of
-- every account.
create table lease (
    account_id bigint not null,
    sequence bigint not null,
    activity_id uuid not null,
    queue text not null,
    worker_id uuid,
    expires_at timestamptz not null,
    primary key (account_id, sequence)
) with (fillfactor = 50);
create index lease_by_expiry on lease (expires_at);

create table activity_source (
    account_id bigint not null,
    sequence bigint not null,
    batch integer not null,
    chunk integer not null,
    bits bit varying not null,
    primary key (account_id, sequence, batch, chunk)
);
alter table activity_source alter column bits set storage main;

create table activity_skipped (
    account_id bigint not null,
    sequence bigint not null,
    code text not null,
    batch integer not null,
    chunk integer not null,
    bits bit varying not null,
    primary key (account_id, sequence, code, batch, chunk)
);
alter table activity_skipped alter column bits set storage main;

create table activity_error (
    account_id bigint not null,
    sequence bigint not null,
    error_no bigint not null generated always as identity,
    item text not null,
    code text not null,
    message text not null,
    primary key (account_id, sequence, error_no)
);

-- What an activity changed: the bits it turned on or off. lowest and highest bound the members of the row, so that
-- the effects of single contacts are passed over cheaply.
create table effect (
    account_id bigint not null,
    sequence bigint not null,
    batch integer not null,
    set_no integer not null,
    chunk integer not null,
    turned_on boolean not null,
    lowest smallint not null,
    highest smallint not null,
    bits bit varying not null,
    primary key (account_id, sequence, batch, set_no, chunk, turned_on)
);
alter table effect alter column bits set storage main;
create index effect_by_set on effect (account_id, set_no, chunk);

-- Contacts as they were before an activity changed their fields.
create table contact_before (
    account_id bigint not null,
    sequence bigint not null,
    contact_no bigint not null,
    image jsonb not null,
    primary key (account_id, sequence, contact_no)
);

-- Where COPY puts the rows of a batch of an import, until the same transaction has used them. No wall: COPY FROM
-- refuses row-level security.
create unlogged table import_row (
    account_id bigint not null,
    sequence bigint not null,
    line bigint not null,
    email text not null,
    email_key text not null,
    first_name text,
    last_name text,
    job_title text,
    company_name text,
    birthday_month smallint,
    birthday_day smallint,
    anniversary date,
    custom_values jsonb,
    phone_numbers jsonb,
    street_addresses jsonb,
    contact_no bigint,
    revived boolean not null,
    unsubscribed boolean not null,
    changes boolean not null default false
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 100000);
create index import_row_by_activity on import_row (account_id, sequence);

-- The entries of a contact's phone numbers or addresses after an import: of a kind that is given, the given parts win;
-- other kinds stay; new kinds are added while there is room for :most. An added entry's id follows from the contact and
-- the kind.
create function merged_by_kind(
    stored jsonb, given jsonb, id_name text, owner text, sources jsonb, at timestamptz, most integer
) returns jsonb language sql immutable parallel safe as $$
    select jsonb_agg(entry order by place) from (
        select place, entry from (
            select s.place, case
                when s.entry @> coalesce(g.entry, '{}') then s.entry
                else s.entry || g.entry || (sources - 'create_source') || jsonb_build_object('updated_at', at)
            end as entry
            from jsonb_array_elements(coalesce(stored, '[]')) with ordinality s(entry, place)
            left join jsonb_array_elements(given) g(entry) on g.entry ->> 'kind' = s.entry ->> 'kind'
            union all
            select 1000 + g.place, g.entry || sources || jsonb_build_object(
                id_name, md5(owner || (g.entry ->> 'kind'))::uuid, 'created_at', at, 'updated_at', at
            )
            from jsonb_array_elements(given) with ordinality g(entry, place)
            where not exists (
                select from jsonb_array_elements(coalesce(stored, '[]')) s(entry)
                where s.entry ->> 'kind' = g.entry ->> 'kind'
            )
        ) all_entries
        order by place
        limit most
    ) kept
$$;

-- A contact has at most 3 phone numbers and 3 addresses (contract v3.md 1.9).
create function merged_phones(account_id bigint, contact_no bigint, stored jsonb, given jsonb, at timestamptz)
returns jsonb language sql immutable parallel safe as $$
    select merged_by_kind(
        stored, given, 'phone_number_id', format('phone %s %s ', account_id, contact_no),
        '{"create_source": "Account", "update_source": "Account"}', at, 3
    )
$$;

create function merged_addresses(account_id bigint, contact_no bigint, stored jsonb, given jsonb, at timestamptz)
returns jsonb language sql immutable parallel safe as $$
    select merged_by_kind(
        stored, given, 'street_address_id', format('address %s %s ', account_id, contact_no), '{}', at, 3
    )
$$;

-- Who may ask. No wall: they are needed before an account is known.
create table principal (
    principal_id uuid primary key default gen_random_uuid(),
    kind text not null check (kind in ('token')),
    name text not null,
    created_at timestamptz not null default now()
);

create table principal_grant (
    principal_id uuid not null references principal (principal_id) on delete cascade,
    account_id bigint not null,
    privileges text[] not null,
    primary key (principal_id, account_id)
);
create index principal_grant_by_account on principal_grant (account_id);

create table token (
    token_hash bytea primary key,
    principal_id uuid not null references principal (principal_id) on delete cascade,
    hint text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz
);
create index token_by_principal on token (principal_id);

do $$
declare
    walled text;
begin
    foreach walled in array array[
        'account', 'contact', 'custom_field', 'contact_set', 'set_chunk', 'segment', 'activity', 'activity_source',
        'activity_skipped', 'activity_error', 'effect', 'contact_before'
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

drop function merged_addresses, merged_phones, merged_by_kind;
drop table token, principal_grant, principal, import_row, contact_before, effect, activity_error, activity_skipped,
    activity_source, lease, activity, segment, set_chunk, contact_set, custom_field, contact, account;
drop sequence account_id_seq;
