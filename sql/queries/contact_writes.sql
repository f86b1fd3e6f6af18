-- Writing single contacts, several in one transaction (engine/contacts/writing.py). What may have to be waited for comes
-- first: contact rows, new e-mails, the mask, set rows; then the account's row, and after that nothing that anybody else
-- can hold.
-- These statements do much each, because a sign-up costs by the round trip: with one step each there were twelve, and 40 %
-- fewer sign-ups a second.

-- name: lock_contacts
-- The contacts with these ids or numbers, and those (with ordinal 0) that have these addresses, locked by number; then the
-- chunks of "exists" and "active" that hold them, FOR UPDATE, so that nobody puts them into sets meanwhile. When one of
-- the addresses is nobody's, or the caller is :making a contact, the chunks are left to `write_addresses` (`masked` is
-- false). Beside each contact, or alone if there are none, the transaction's time, and the account's last sequence and
-- unfinished activities from before the locks. E-mails are looked up as in lock_imported_contacts, and ids one by one,
-- too: in a table that was not analyzed yet an array of them is a filter on the whole account.
with contacts as materialized (
    select c.* from (
        select named.contact_no from unnest(:contact_ids::uuid[]) i(contact_id)
        cross join lateral (
            select contact_no from contact where account_id = :account_id and contact_id = i.contact_id limit 1
        ) named
        union
        select unnest(:contact_nos::bigint[])
        union
        select known.contact_no from unnest(:email_keys::text[]) k(email_key)
        cross join lateral (
            select contact_no, email_ordinal from contact
            where account_id = :account_id and email_key = k.email_key
            order by email_ordinal
            limit 1
        ) known
        where known.email_ordinal = 0
        order by contact_no
    ) n
    cross join lateral (
        select * from contact where account_id = :account_id and contact_no = n.contact_no for update
    ) c
),
known as materialized (
    select not :making and not exists (
        select from unnest(:email_keys::text[]) k(email_key)
        where not exists (select from contacts c where c.email_key = k.email_key and c.email_ordinal = 0)
    ) as masked
),
masks as materialized (
    select m.set_no from (
        select s.set_no, w.chunk from unnest(array[${exists}, ${active}]) s(set_no)
        cross join (select distinct (contact_no / ${chunk_bits})::int as chunk from contacts) w
        where (select masked from known)
        order by s.set_no, w.chunk
    ) k
    cross join lateral (
        select set_no from set_chunk
        where account_id = :account_id and set_no = k.set_no and chunk = k.chunk
        for update
    ) m
)
select now() as locked_at, a.last_sequence, a.unfinished, known.masked, c.*
from (select count(*) from masks) locked
cross join known
cross join (select last_sequence, unfinished from account where account_id = :account_id) a
left join contacts c on true;

-- name: holders_of_emails
-- Of addresses that somebody has, the first contact with each that is not deleted, the first of these that has the names
-- beside the address (null where nobody asks for that), and the greatest ordinal. Locks nothing: whoever has ordinal 0 is
-- locked. Looked up as in `lock_contacts`.
select
    k.email_key, living.contact_no, living.contact_id, namesake.contact_no as namesake_no,
    newest.email_ordinal as last_ordinal
from unnest(:email_keys::text[], :first_names::text[], :last_names::text[]) k(email_key, first_name, last_name)
cross join lateral (
    select email_ordinal from contact
    where account_id = :account_id and email_key = k.email_key
    order by email_ordinal desc
    limit 1
) newest
left join lateral (
    select contact_no, contact_id from contact
    where account_id = :account_id and email_key = k.email_key and deleted_at is null
    order by email_ordinal
    limit 1
) living on true
left join lateral (
    select contact_no from contact
    where account_id = :account_id and email_key = k.email_key and deleted_at is null
        and lower(btrim(coalesce(first_name, ''), E' \t\n\r\f\v')) = lower(btrim(k.first_name, E' \t\n\r\f\v'))
        and lower(btrim(coalesce(last_name, ''), E' \t\n\r\f\v')) = lower(btrim(k.last_name, E' \t\n\r\f\v'))
    order by email_ordinal
    limit 1
) namesake on true;

-- name: write_addresses!
-- Creates contacts, as JSON objects of column to value, and gives locked ones their address; in the order given, since
-- each waits for whoever writes the same address. Then locks the chunks of "exists" and "active" that hold them, and
-- :chunks, FOR UPDATE.
with made as (
    insert into contact select r.* from jsonb_populate_recordset(null::contact, :rows::jsonb) r
    on conflict (account_id, contact_no) do update set
        email_key = excluded.email_key, email_ordinal = excluded.email_ordinal
    returning contact_no
)
select from (
    select s.set_no, w.chunk from unnest(array[${exists}, ${active}]) s(set_no)
    cross join (
        select unnest(:chunks::integer[]) as chunk
        union
        select (contact_no / ${chunk_bits})::int from made
    ) w
    order by s.set_no, w.chunk
) k
cross join lateral (
    select from set_chunk where account_id = :account_id and set_no = k.set_no and chunk = k.chunk
    for update
) m;

-- name: update_contacts!
-- Locked contacts as they are from now on, as JSON objects of column to value; with their numbers, without which the
-- planner, who expects a hundred objects, would as soon read the whole account.
update contact c set
    email = r.email, email_key = r.email_key, email_ordinal = r.email_ordinal, permission = r.permission, first_name = r.first_name,
    last_name = r.last_name, job_title = r.job_title, company_name = r.company_name,
    birthday_month = r.birthday_month, birthday_day = r.birthday_day, birthday_year = r.birthday_year,
    anniversary = r.anniversary, profile = r.profile, demographic_score = r.demographic_score,
    activity_score = r.activity_score, update_source = r.update_source, updated_at = r.updated_at, deleted_at = r.deleted_at,
    email_created_at = r.email_created_at, email_updated_at = r.email_updated_at, opt_in_source = r.opt_in_source,
    opt_in_date = r.opt_in_date, opt_out_source = r.opt_out_source, opt_out_date = r.opt_out_date,
    opt_out_reason = r.opt_out_reason, confirm_status = r.confirm_status, custom_values = r.custom_values,
    phone_numbers = r.phone_numbers, street_addresses = r.street_addresses, notes = r.notes,
    sms_channel = r.sms_channel, resubscribed_at = r.resubscribed_at
from jsonb_populate_recordset(null::contact, :rows::jsonb) r
where c.account_id = :account_id and c.contact_no = any(:contact_nos) and c.contact_no = r.contact_no;

-- name: keep_writes$
-- Records writes as :batch of the activity :sequence: the :written contacts as its frozen source, its effects (the turns
-- that change anything), and contacts as they were, for undo, before the activity's first change; those that it has made
-- itself, in an earlier batch, have no such image. The sets are locked. Answers how many memberships of named sets it
-- turns.
with asked as (
    select
        t.set_no, t.turned_on, (t.contact_no / ${chunk_bits})::int as chunk,
        (t.contact_no % ${chunk_bits})::int as place
    from unnest(:set_nos::integer[], :contact_nos::bigint[], :turned_on::boolean[]) t(set_no, contact_no, turned_on)
),
effects as (
    insert into effect (account_id, sequence, batch, set_no, chunk, turned_on, lowest, highest, bits)
    select
        :account_id, :sequence, :batch, a.set_no, a.chunk, a.turned_on, min(a.place), max(a.place),
        bit_or(set_bit(B''::bit(${chunk_bits}), a.place, 1))
    from asked a
    left join lateral (
        select bits from set_chunk where account_id = :account_id and set_no = a.set_no and chunk = a.chunk offset 0
    ) c on true
    where coalesce(get_bit(c.bits, a.place), 0) <> a.turned_on::int
    group by a.set_no, a.chunk, a.turned_on
    returning set_no, bits
),
sources as (
    insert into activity_source (account_id, sequence, batch, chunk, bits)
    select
        :account_id, :sequence, :batch, (contact_no / ${chunk_bits})::int,
        bit_or(set_bit(B''::bit(${chunk_bits}), (contact_no % ${chunk_bits})::int, 1))
    from unnest(:written::bigint[]) w(contact_no)
    group by contact_no / ${chunk_bits}
),
images as (
    insert into contact_before (account_id, sequence, contact_no, image)
    select :account_id, :sequence, i.contact_no, i.image
    from (
        select (image ->> 'contact_no')::bigint as contact_no, image from jsonb_array_elements(:images::jsonb) image
    ) i
    where not exists (
        select from effect e
        where e.account_id = :account_id and e.sequence = :sequence and e.set_no = ${exists} and e.turned_on
            and e.chunk = (i.contact_no / ${chunk_bits})::int
            and get_bit(e.bits, (i.contact_no % ${chunk_bits})::int) = 1
    )
    on conflict (account_id, sequence, contact_no) do nothing
)
select coalesce(sum(bit_count(bits)), 0)::bigint from effects where set_no > 0;

-- name: enter_writes^
-- Gives :count writes the next places in the account's order, and records them: an activity each, completed from the start
-- and not listed, its contact as its frozen source, its effects (the turns that change anything), and its contact as it
-- was, for undo. What is turned on is written and all is counted; what is turned off is left to write_removals. Takes the
-- account's lock, which orders the writes by their commits; the sets are locked. Answers the sequence before them, how
-- many activities are unfinished, and the sequences of the writes that turned anything off.
with account_before as (
    update account set last_sequence = last_sequence + :count where account_id = :account_id
    returning last_sequence - :count as last_sequence, unfinished
),
asked as (
    select
        b.last_sequence + t.nth as sequence, t.set_no, t.turned_on, (t.contact_no / ${chunk_bits})::int as chunk,
        (t.contact_no % ${chunk_bits})::int as place,
        set_bit(B''::bit(${chunk_bits}), (t.contact_no % ${chunk_bits})::int, 1) as bits
    from account_before b
    cross join unnest(:nths::integer[], :set_nos::integer[], :contact_nos::bigint[], :turned_on::boolean[])
        t(nth, set_no, contact_no, turned_on)
),
turned as (
    select a.* from asked a
    left join lateral (
        select bits from set_chunk where account_id = :account_id and set_no = a.set_no and chunk = a.chunk offset 0
    ) c on true
    where coalesce(get_bit(c.bits, a.place), 0) <> a.turned_on::int
),
effects as (
    insert into effect (account_id, sequence, batch, set_no, chunk, turned_on, lowest, highest, bits)
    select :account_id, sequence, 0, set_no, chunk, turned_on, place, place, bits from turned
),
additions as (
    insert into set_chunk (account_id, set_no, chunk, lowest, highest, bits)
    select :account_id, set_no, chunk, min(place), max(place), bit_or(bits) from turned where turned_on
    group by set_no, chunk
    order by set_no, chunk
    on conflict (account_id, set_no, chunk) do update set
        bits = set_chunk.bits | excluded.bits,
        lowest = least(set_chunk.lowest, excluded.lowest), highest = greatest(set_chunk.highest, excluded.highest)
),
counts as (
    update contact_set s set member_count = s.member_count + t.change
    from (select set_no, sum(case when turned_on then 1 else -1 end) as change from turned group by set_no) t
    where s.account_id = :account_id and s.set_no = t.set_no
),
sources as (
    insert into activity_source (account_id, sequence, batch, chunk, bits)
    select distinct on (sequence) :account_id, sequence, 0, chunk, bits from asked
),
images as (
    insert into contact_before (account_id, sequence, contact_no, image)
    select :account_id, b.last_sequence + i.nth, (i.image ->> 'contact_no')::bigint, i.image
    from account_before b
    cross join jsonb_to_recordset(:images::jsonb) i(nth integer, image jsonb)
),
entries as (
    insert into activity (
        account_id, sequence, activity_id, kind, queue, state, principal_id, request, reads, writes, shareable, listed,
        created_at, updated_at, started_at, completed_at, items_total, items_completed, changed_count
    )
    select
        :account_id, b.last_sequence + e.nth, coalesce(e.record_id, gen_random_uuid()), e.kind, 'activities',
        'completed', e.principal_id, e.request, array[]::integer[], e.writes, false, false, now(), now(), now(), now(), 1, 1,
        (select count(*) from turned t where t.sequence = b.last_sequence + e.nth)
    from account_before b
    cross join json_to_recordset(:entries::json) e(
        nth integer, record_id uuid, kind text, principal_id uuid, request json, writes integer[]
    )
)
select last_sequence, unfinished, array(select distinct sequence from turned where not turned_on) as removing
from account_before;
