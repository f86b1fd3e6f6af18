-- Writing a batch of import rows, which COPY has put into import_row; one transaction. The planner knows nothing of how
-- much that table holds and plans for one row. So it is joined with contact only by contact number, whose index serves
-- one row as well as all; which e-mail is whose is found out before, with the e-mails in an array.

-- name: plan_anew!
-- Has the statements of this transaction planned for what the tables hold now: a plan that was kept may be of a time
-- when they were empty, and read everybody for each row.
set local plan_cache_mode = force_custom_plan;

-- name: lock_imported_contacts
-- Finds the contacts that have these e-mails (those with ordinal 0) and locks them, by contact number. E-mails are looked
-- up one by one, and the lowest ordinal is asked for, which only the index of e-mails knows without sorting: of an account
-- that was not analyzed yet the planner expects one row, and would as soon read all of it.
select c.email_key, c.contact_no, c.deleted, c.unsubscribed
from (
    select k.email_key, known.contact_no from unnest(:email_keys::text[]) k(email_key)
    cross join lateral (
        select contact_no, email_ordinal from contact
        where account_id = :account_id and email_key = k.email_key
        order by email_ordinal
        limit 1
    ) known
    where known.email_ordinal = 0
    order by known.contact_no
) n
cross join lateral (
    select email_key, contact_no, deleted_at is not null as deleted,
        deleted_at is null and permission = 'unsubscribed' as unsubscribed
    from contact
    where account_id = :account_id and contact_no = n.contact_no and email_key = n.email_key and email_ordinal = 0
    for update
) c;

-- name: note_changes!
-- Notes which rows change their contact; a blank value changes nothing.
update import_row r set changes = true
from contact c
where r.account_id = :account_id and r.sequence = :sequence
    and c.account_id = :account_id and c.contact_no = r.contact_no
    and (
        c.deleted_at is not null
        or (
            coalesce(r.first_name, c.first_name), coalesce(r.last_name, c.last_name),
            coalesce(r.job_title, c.job_title), coalesce(r.company_name, c.company_name),
            coalesce(r.birthday_month, c.birthday_month), coalesce(r.birthday_day, c.birthday_day),
            coalesce(r.anniversary, c.anniversary)
        ) is distinct from (
            c.first_name, c.last_name, c.job_title, c.company_name, c.birthday_month, c.birthday_day, c.anniversary
        )
        or not coalesce(coalesce(c.custom_values, '{}') @> r.custom_values, true)
        or not coalesce(coalesce(c.phone_numbers, '[]') @> r.phone_numbers, true)
            and c.phone_numbers is distinct from
                merged_phones(c.account_id, c.contact_no, c.phone_numbers, r.phone_numbers, now())
        or not coalesce(coalesce(c.street_addresses, '[]') @> r.street_addresses, true)
            and c.street_addresses is distinct from
                merged_addresses(c.account_id, c.contact_no, c.street_addresses, r.street_addresses, now())
        or r.sms_channel is not null
            and c.sms_channel is distinct from
                merged_sms(c.account_id, c.contact_no, c.sms_channel, r.sms_channel, :sms_explicit, now())
    );

-- name: full_contacts
-- Rows with phone numbers or addresses of kinds that their contact has no room for beside what it has: it may have three
-- of each.
select r.line, r.email, of_row.what from import_row r
left join contact c on c.account_id = :account_id and c.contact_no = r.contact_no
cross join lateral (values
    ('phone numbers', coalesce(c.phone_numbers, '[]'), r.phone_numbers),
    ('street addresses', coalesce(c.street_addresses, '[]'), r.street_addresses)
) of_row(what, stored, given)
where r.account_id = :account_id and r.sequence = :sequence
    and jsonb_array_length(of_row.stored) + jsonb_array_length(of_row.given) > 3
    and jsonb_array_length(of_row.stored) + (
        select count(*) from jsonb_array_elements(of_row.given) g(entry)
        where not of_row.stored @> jsonb_build_array(jsonb_build_object('kind', g.entry -> 'kind'))
    ) > 3
order by r.line, of_row.what;

-- name: lock_masks_exclusively!
-- Whoever creates, revives, unsubscribes or deletes contacts takes the chunks of "exists" and "active" FOR UPDATE.
select from set_chunk
where account_id = :account_id and set_no in (${exists}, ${active}) and chunk in (
    select (contact_no / ${chunk_bits})::int from import_row
    where account_id = :account_id and sequence = :sequence and revived
    union
    select generate_series((:first_contact_no / ${chunk_bits})::int, (:last_contact_no / ${chunk_bits})::int)
)
order by set_no, chunk
for update;

-- name: freeze_import_rows!
-- Those of the contacts of the rows whom :whom means ('created': made or revived; 'joining': all but the unsubscribed;
-- 'everyone'), added to a source. 64-bit words first, as in engine/sets/expressions.py, so that a row costs little.
insert into activity_source (account_id, sequence, batch, chunk, bits)
select :account_id, :sequence, :batch, (word * 64 / ${chunk_bits})::int,
    bit_or(bits::bit(${chunk_bits}) >> (word * 64 % ${chunk_bits})::int)
from (
    select contact_no / 64 as word, bit_or(1::bigint << (63 - contact_no % 64)::int)::bit(64) as bits
    from (
        select contact_no from import_row
        where account_id = :account_id and sequence = :sequence and contact_no is not null
            and case :whom::text when 'created' then revived when 'joining' then not unsubscribed else true end
        union all
        select generate_series(:first_contact_no::bigint, :last_contact_no::bigint)
    ) n
    group by 1
) words
group by word * 64 / ${chunk_bits}
on conflict (account_id, sequence, batch, chunk) do update set bits = activity_source.bits | excluded.bits;

-- name: keep_contacts_before!
-- Before-images of the contacts that the rows change, for undo: the image before the activity's first change. Those that
-- the activity itself has made, in an earlier batch, have none: they are in the first source of that batch, whose number
-- is a multiple of three (EFFECTS in engine/imports/upsert.py). They are few, since their e-mail must be in the file
-- twice, and only they are looked up there.
insert into contact_before (account_id, sequence, contact_no, image)
select :account_id, :sequence, c.contact_no, to_jsonb(c)
from import_row r
join contact c on c.account_id = :account_id and c.contact_no = r.contact_no
where r.account_id = :account_id and r.sequence = :sequence and r.changes
    and not (
        c.created_at >= (select started_at from activity where account_id = :account_id and sequence = :sequence)
        and exists (
            select from activity_source s
            where s.account_id = :account_id and s.sequence = :sequence and s.batch % 3 = 0
                and s.chunk = (c.contact_no / ${chunk_bits})::int
                and get_bit(s.bits, (c.contact_no % ${chunk_bits})::int) = 1
        )
    )
on conflict (account_id, sequence, contact_no) do nothing;

-- name: update_imported!
-- Gives known contacts what their rows say; a blank leaves the stored value alone. A deleted contact is revived with
-- implicit permission (contract v3.md 3.9).
update contact c set
    first_name = coalesce(r.first_name, c.first_name),
    last_name = coalesce(r.last_name, c.last_name),
    job_title = coalesce(r.job_title, c.job_title),
    company_name = coalesce(r.company_name, c.company_name),
    birthday_month = coalesce(r.birthday_month, c.birthday_month),
    birthday_day = coalesce(r.birthday_day, c.birthday_day),
    birthday_year = case
        when (coalesce(r.birthday_month, c.birthday_month), coalesce(r.birthday_day, c.birthday_day))
            is not distinct from (c.birthday_month, c.birthday_day)
        then c.birthday_year
    end,
    anniversary = coalesce(r.anniversary, c.anniversary),
    custom_values = case
        when r.custom_values is null then c.custom_values else coalesce(c.custom_values, '{}') || r.custom_values
    end,
    phone_numbers = case
        when r.phone_numbers is null then c.phone_numbers
        else merged_phones(c.account_id, c.contact_no, c.phone_numbers, r.phone_numbers, now())
    end,
    street_addresses = case
        when r.street_addresses is null then c.street_addresses
        else merged_addresses(c.account_id, c.contact_no, c.street_addresses, r.street_addresses, now())
    end,
    sms_channel = case
        when r.sms_channel is null then c.sms_channel
        else merged_sms(c.account_id, c.contact_no, c.sms_channel, r.sms_channel, :sms_explicit, now())
    end,
    update_source = 'Account',
    updated_at = now(),
    permission = case when c.deleted_at is null then c.permission else 'implicit' end,
    confirm_status = case when c.deleted_at is null then c.confirm_status else 'off' end,
    email_updated_at = case
        when c.deleted_at is null or c.permission = 'implicit' then c.email_updated_at else now()
    end,
    opt_in_source = case when c.deleted_at is null then c.opt_in_source else 'Account' end,
    opt_in_date = case when c.deleted_at is null then c.opt_in_date else now() end,
    opt_out_source = case when c.deleted_at is null then c.opt_out_source end,
    opt_out_date = case when c.deleted_at is null then c.opt_out_date end,
    opt_out_reason = case when c.deleted_at is null then c.opt_out_reason end,
    deleted_at = null
from import_row r
where r.account_id = :account_id and r.sequence = :sequence and r.changes
    and c.account_id = :account_id and c.contact_no = r.contact_no;

-- name: insert_imported!
-- Creates the contacts of rows that nobody has the e-mail of, with the reserved numbers in the order of the rows. They are
-- written by e-mail, as by `write_addresses`: of two transactions with the same ones, one waits.
insert into contact (
    account_id, contact_no, email, email_key, first_name, last_name, job_title, company_name, birthday_month,
    birthday_day, anniversary, custom_values, phone_numbers, street_addresses, sms_channel, permission, create_source,
    created_at, updated_at, email_created_at, email_updated_at, opt_in_source, opt_in_date
)
select
    :account_id, n.contact_no, r.email, r.email_key, r.first_name, r.last_name, r.job_title, r.company_name,
    r.birthday_month, r.birthday_day, r.anniversary, r.custom_values,
    (
        -- As merged_phones makes them, but not one function call a row, which costs 17 µs.
        select jsonb_agg(
            g.entry || jsonb_build_object(
                'phone_number_id', md5(format('phone %s %s %s', r.account_id, n.contact_no, g.entry ->> 'kind'))::uuid,
                'create_source', 'Account', 'update_source', 'Account', 'created_at', now(), 'updated_at', now()
            ) order by g.place
        )
        from jsonb_array_elements(r.phone_numbers) with ordinality g(entry, place)
        where g.place <= 3
    ),
    (
        select jsonb_agg(
            g.entry || jsonb_build_object(
                'street_address_id',
                md5(format('address %s %s %s', r.account_id, n.contact_no, g.entry ->> 'kind'))::uuid,
                'created_at', now(), 'updated_at', now()
            ) order by g.place
        )
        from jsonb_array_elements(r.street_addresses) with ordinality g(entry, place)
    ),
    case
        when r.sms_channel is not null
        then merged_sms(r.account_id, n.contact_no, null, r.sms_channel, :sms_explicit, now())
    end,
    'implicit', 'Account', now(), now(), now(), now(), 'Account', now()
from (
    select *, row_number() over (order by line) as place from import_row
    where account_id = :account_id and sequence = :sequence and contact_no is null
) r
cross join lateral (select :first_contact_no - 1 + r.place as contact_no) n
order by r.email_key collate "C";

-- name: count_source$
-- How many contacts are in a source of a batch.
select coalesce(sum(bit_count(bits)), 0)::bigint from activity_source
where account_id = :account_id and sequence = :sequence and batch = :batch;

-- name: clear_import_rows!
delete from import_row where account_id = :account_id and sequence = :sequence;
