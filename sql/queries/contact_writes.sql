-- Writing single contacts, several in one transaction (engine/contacts/writing.py). What may have to be waited for comes
-- first: contact rows, the mask, set rows; then the account's row, and after that nothing that anybody else can hold.

-- name: about_to_run
-- What the membership activities read and write that have a place in their queue or are being worked on. Those that wait
-- for others, and batched work, are nobody's to wait for here: they may take long.
select a.reads, a.writes from activity a
join lease l on l.account_id = :account_id and l.sequence = a.sequence
where a.account_id = :account_id and a.state in ('initialized', 'processing') and a.queue = 'activities';

-- name: lock_contacts
-- The contacts with these ids, and those (with ordinal 0) that have these addresses, locked by contact number, beside the
-- transaction's time: one row without a contact if there are none. E-mails are looked up as in lock_imported_contacts.
select t.locked_at, c.*
from (select now() as locked_at) t
left join (
    (
        select contact_no from contact where account_id = :account_id and contact_id = any(:contact_ids::uuid[])
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
) on true;

-- name: lock_mask_chunks!
-- The chunks of "exists" and "active" in which contacts are made, deleted, revived or unsubscribed, FOR UPDATE.
select from set_chunk
where account_id = :account_id and set_no in (${exists}, ${active}) and chunk = any(:chunks::integer[])
order by set_no, chunk
for update;

-- name: tags_before_deletion
-- The living tags that the last deletion of each of these contacts took off.
select n.contact_no, e.set_no
from unnest(:contact_nos::bigint[]) n(contact_no)
cross join lateral (
    select (n.contact_no / ${chunk_bits})::int as chunk, (n.contact_no % ${chunk_bits})::int as place
) bit
cross join lateral (
    select d.sequence from effect d
    where d.account_id = :account_id and d.set_no = ${exists} and d.chunk = bit.chunk and not d.turned_on
        and bit.place between d.lowest and d.highest and get_bit(d.bits, bit.place) = 1
    order by d.sequence desc
    limit 1
) deletion
join effect e on e.account_id = :account_id and e.sequence = deletion.sequence and e.chunk = bit.chunk
    and not e.turned_on
join contact_set s on s.account_id = :account_id and s.set_no = e.set_no and s.kind = 'tag' and s.deleted_at is null
where get_bit(e.bits, bit.place) = 1;

-- name: insert_contacts!
-- New contacts, as JSON objects of column to value.
insert into contact select r.* from jsonb_populate_recordset(null::contact, :rows::jsonb) r;

-- name: update_contacts!
-- Locked contacts as they are from now on, as JSON objects of column to value.
update contact c set
    email = r.email, email_key = r.email_key, permission = r.permission, first_name = r.first_name,
    last_name = r.last_name, job_title = r.job_title, company_name = r.company_name,
    birthday_month = r.birthday_month, birthday_day = r.birthday_day, anniversary = r.anniversary,
    update_source = r.update_source, updated_at = r.updated_at, deleted_at = r.deleted_at,
    email_created_at = r.email_created_at, email_updated_at = r.email_updated_at, opt_in_source = r.opt_in_source,
    opt_in_date = r.opt_in_date, opt_out_source = r.opt_out_source, opt_out_date = r.opt_out_date,
    opt_out_reason = r.opt_out_reason, confirm_status = r.confirm_status, custom_values = r.custom_values,
    phone_numbers = r.phone_numbers, street_addresses = r.street_addresses, notes = r.notes,
    sms_channel = r.sms_channel, resubscribed_at = r.resubscribed_at
from jsonb_populate_recordset(null::contact, :rows::jsonb) r
where c.account_id = :account_id and c.contact_no = r.contact_no;

-- name: take_sequences$
-- The next :count places at the end of the account's order; answers the last. Takes the account's lock, which orders
-- them by their commits.
update account set last_sequence = last_sequence + :count where account_id = :account_id returning last_sequence;

-- name: turn_for_contacts
-- Effects of turning sets on or off for single contacts, where that changes them, and each contact as its activity's
-- frozen source. The sets are locked.
with asked as (
    select
        t.sequence, t.set_no, t.turned_on, (t.contact_no / ${chunk_bits})::int as chunk,
        (t.contact_no % ${chunk_bits})::int as place,
        set_bit(B''::bit(${chunk_bits}), (t.contact_no % ${chunk_bits})::int, 1) as bits
    from unnest(:sequences::bigint[], :set_nos::integer[], :contact_nos::bigint[], :turned_on::boolean[])
        t(sequence, set_no, contact_no, turned_on)
),
sources as (
    insert into activity_source (account_id, sequence, batch, chunk, bits)
    select distinct on (sequence) :account_id, sequence, 0, chunk, bits from asked
)
insert into effect (account_id, sequence, batch, set_no, chunk, turned_on, lowest, highest, bits)
select :account_id, a.sequence, 0, a.set_no, a.chunk, a.turned_on, a.place, a.place, a.bits
from asked a
left join set_chunk c on c.account_id = :account_id and c.set_no = a.set_no and c.chunk = a.chunk
where coalesce(get_bit(c.bits, a.place), 0) <> a.turned_on::int
returning sequence;

-- name: keep_images!
-- Contacts as they were before, for undo.
insert into contact_before (account_id, sequence, contact_no, image)
select :account_id, i.sequence, (i.image ->> 'contact_no')::bigint, i.image
from jsonb_to_recordset(:images::jsonb) i(sequence bigint, image jsonb);

-- name: enter_written!
-- The activities of what was written, completed from the start and not listed.
insert into activity (
    account_id, sequence, activity_id, kind, queue, state, principal_id, request, reads, writes, shareable, listed,
    created_at, updated_at, started_at, completed_at, items_total, items_completed, changed_count
)
select
    :account_id, e.sequence, gen_random_uuid(), e.kind, 'activities', 'completed', e.principal_id,
    json_build_object('contact_no', e.contact_no, 'on', e."on", 'off', e.off), array[]::integer[], e.writes, false, false,
    now(), now(), now(), now(), 1, 1, e.changed_count
from json_to_recordset(:entries::json) e(
    sequence bigint, kind text, principal_id uuid, contact_no bigint, "on" json, off json, writes integer[],
    changed_count bigint
);
