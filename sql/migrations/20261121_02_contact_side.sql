-- the whole contact side: tracking, custom fields that can be deleted, what is done by the clock
-- depends: 20261121_01_foundation

-- migrate: apply

-- Who got, opened, clicked … the mails of a campaign is a set, too.
alter table contact_set drop constraint contact_set_kind_check;
alter table contact_set add constraint contact_set_kind_check check (kind in ('list', 'tag', 'system', 'tracking'));

-- A campaign that tracking events told of, with the numbers of its sets by event.
create table campaign (
    account_id bigint not null,
    campaign_id uuid not null,
    sent_at timestamptz not null,
    sent_set integer,
    opened_set integer,
    clicked_set integer,
    bounced_set integer,
    unsubscribed_set integer,
    primary key (account_id, campaign_id)
);
create index campaign_by_time on campaign (account_id, sent_at);

-- A deleted field's values may still lie in contacts, where nobody sees them: its number is never used again.
alter table custom_field add column deleted_at timestamptz;
drop index custom_field_by_name;
create unique index custom_field_by_name on custom_field (account_id, name_key) where deleted_at is null;

alter table contact add column resubscribed_at timestamptz;

-- An import may give text message numbers.
alter table import_row add column sms_channel jsonb;

-- Of several entries of a kind an import changes one: the first, unless another one says already what is given.
create or replace function merged_by_kind(
    stored jsonb, given jsonb, id_name text, owner text, sources jsonb, at timestamptz, most integer
) returns jsonb language sql immutable parallel safe as $$
    select jsonb_agg(entry order by place) from (
        select place, entry from (
            select s.place, case
                when s.entry @> coalesce(g.entry, '{}') then s.entry
                else s.entry || g.entry || (sources - 'create_source') || jsonb_build_object('updated_at', at)
            end as entry
            from jsonb_array_elements(coalesce(stored, '[]')) with ordinality s(entry, place)
            left join jsonb_array_elements(given) g(entry)
                on g.entry ->> 'kind' = s.entry ->> 'kind' and s.place = (
                    select of_kind.place from jsonb_array_elements(stored) with ordinality of_kind(entry, place)
                    where of_kind.entry ->> 'kind' = g.entry ->> 'kind'
                    order by of_kind.entry @> g.entry desc, of_kind.place
                    limit 1
                )
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

-- A contact's text message channel after an import gave a number, and consents to it if they are :explicit. The channel of
-- the same number stays as it is if it has consents: an import does not undo an opt-out.
create function merged_sms(
    account_id bigint, contact_no bigint, stored jsonb, given jsonb, explicit boolean, at timestamptz
) returns jsonb language sql immutable parallel safe as $$
    select case
        when stored @> (given - 'consent_date')
            and (not explicit or jsonb_array_length(stored -> 'sms_channel_consents') > 0)
        then stored
        else jsonb_build_object(
            'sms_channel_id', md5(format('sms %s %s', account_id, contact_no))::uuid, 'create_source', 'Account'
        ) || coalesce(stored, '{}') || (given - 'consent_date') || jsonb_build_object(
            'update_source', 'Account',
            'sms_channel_consents', case
                when explicit then jsonb_build_array(jsonb_build_object(
                    'sms_consent_permission', 'explicit', 'consent_type', 'promotional_sms',
                    'opt_in_date', coalesce(given ->> 'consent_date' || 'T00:00:00+00:00', to_jsonb(at) #>> '{}'),
                    'created_at', at, 'updated_at', at
                ))
                else '[]'
            end
        )
    end
$$;

-- What is done by the clock: the kind of the activity to submit, and when. No wall: workers look for what is due in every
-- account.
create table schedule (
    account_id bigint not null,
    kind text not null,
    due_at timestamptz not null,
    primary key (account_id, kind)
);
create index schedule_by_time on schedule (due_at);

-- The last day, in UTC, on which the principal asked for something, and how many requests were taken from that day's.
alter table principal_grant add column requests_on date not null default 'epoch';
alter table principal_grant add column requests bigint not null default 0;

-- Reviving a contact asks which deletion was its last.
create index effect_of_deletions on effect (account_id, chunk, sequence) where set_no = -1 and not turned_on;

-- Activities up to this sequence have lost what is kept only for the retention time.
alter table account add column pruned_sequence bigint not null default 0;

alter table campaign enable row level security;
alter table campaign force row level security;
create policy account_wall on campaign using (account_id = nullif(current_setting('muster.account_id', true), '')::bigint);

-- The day that a text says in one of the nine forms of contract v3.md 1.5, null if it says none. Slashes and hyphens have
-- alternatives of their own: a pattern that refers back takes three times as long. 1.1 µs of the first form, 2.6 of others.
create function day_of(given text) returns date language plpgsql immutable parallel safe strict as $$
declare
    parts text[];
    year integer;
    month integer;
    found date;
begin
    -- The form that most are in, of a day that every month has.
    if given ~ '^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$' then
        return make_date(left(given, 4)::integer, substr(given, 6, 2)::integer, right(given, 2)::integer);
    end if;
    given := btrim(given, E' \t\n\r\f\v');
    if given !~ (
        '^([0-9]{4}/[0-9]{1,2}/[0-9]{1,2}|[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}'
        '|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}-[0-9]{1,2}-[0-9]{4})$'
    ) then
        return null;
    end if;
    parts := string_to_array(translate(given, '/', '-'), '-');
    if length(parts[1]) < 4 then
        parts := array[parts[3], parts[1], parts[2]];
    end if;
    year := parts[1];
    month := parts[2];
    if year < 1 or month not between 1 and 12 then
        return null;
    end if;
    -- A day that its month does not have is one of the next month.
    found := make_date(year, month, 1) + (parts[3]::integer - 1);
    if date_part('month', found) = month then
        return found;
    end if;
    return null;
end
$$;

-- What new accounts are made with. The owner is behind the walls, too, unless they are taken down for the moment.
alter table account no force row level security;
alter table contact_set no force row level security;
alter table set_chunk no force row level security;
-- Until now levels were only set by hand.
insert into set_chunk (account_id, set_no, chunk, bits)
select account_id, -9, chunk, bit_or(bits) from set_chunk where set_no between -7 and -4 group by account_id, chunk;
insert into contact_set (account_id, set_no, kind, name, name_key, member_count, created_at, updated_at)
select account_id, -9, 'system', 'engagement by hand', 'engagement by hand', (
    select coalesce(sum(bit_count(c.bits)), 0) from set_chunk c where c.account_id = a.account_id and c.set_no = -9
), now(), now()
from account a;
insert into schedule (account_id, kind, due_at) select account_id, 'retention', now() from account;
alter table account force row level security;
alter table contact_set force row level security;
alter table set_chunk force row level security;

-- migrate: rollback

alter table contact_set no force row level security;
alter table set_chunk no force row level security;
delete from set_chunk c using contact_set s
where s.account_id = c.account_id and s.set_no = c.set_no and (s.set_no = -9 or s.kind = 'tracking');
delete from contact_set where set_no = -9 or kind = 'tracking';
alter table contact_set force row level security;
alter table set_chunk force row level security;
-- merged_by_kind stays: it knows no more of the tables than the one before.
drop function merged_sms;
alter table import_row drop column sms_channel;
drop table schedule, campaign;
drop function day_of;
alter table principal_grant drop column requests_on, drop column requests;
drop index effect_of_deletions;
alter table account drop column pruned_sequence;
alter table contact drop column resubscribed_at;
drop index custom_field_by_name;
create unique index custom_field_by_name on custom_field (account_id, name_key);
alter table custom_field drop column deleted_at;
alter table contact_set drop constraint contact_set_kind_check;
alter table contact_set add constraint contact_set_kind_check check (kind in ('list', 'tag', 'system'));
