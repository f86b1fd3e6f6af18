-- name: contacts_by_number
-- Contacts with these numbers, ascending, deleted ones too.
select * from contact where account_id = :account_id and contact_no = any(:contact_nos) order by contact_no;

-- name: contact_by_id^
-- A contact, also a deleted one.
select * from contact where account_id = :account_id and contact_id = :contact_id;

-- name: contact_ids
-- The public ids of contacts by number.
select contact_no, contact_id from contact where account_id = :account_id and contact_no = any(:contact_nos);

-- name: contact_ids_of_living
-- The public ids of those of the numbers whose contacts are not deleted.
select contact_no, contact_id from contact
where account_id = :account_id and contact_no = any(:contact_nos) and deleted_at is null
order by contact_no;

-- name: count_by_permission
-- Contacts that are not deleted, by their permission.
select permission, count(*) as contacts from contact
where account_id = :account_id and deleted_at is null
group by permission;

-- name: contacts_addressed
-- Of each of the addresses, by its place from 1 on, the numbers of the first contacts, not deleted, who have it, :most at
-- most. Looked up one by one, as in `lock_contacts`.
select place, array_agg(contact_no order by email_ordinal) as contact_nos
from unnest(:email_keys::text[]) with ordinality k(email_key, place)
cross join lateral (
    select contact_no, email_ordinal from contact
    where account_id = :account_id and email_key = k.email_key and deleted_at is null
    order by email_ordinal
    limit :most
) holder
group by place;

-- name: time_of_transaction$
-- When this transaction began, by the database's clock.
select now();

-- name: contacts_named
-- Of each of the names, by its place from 1 on, the numbers of the first contacts, not deleted, who are named so, :most at
-- most. One scan of the account for all of them; after `scan_together`, since the plan would else be one for ten names.
select place, array_agg(contact_no order by contact_no) as contact_nos from (
    select n.place, c.contact_no, row_number() over (partition by n.place order by c.contact_no) as nth
    from contact c
    join (
        select
            place, lower(btrim(first_name, E' \t\n\r\f\v')) as first_name,
            lower(btrim(last_name, E' \t\n\r\f\v')) as last_name
        from unnest(:first_names::text[], :last_names::text[]) with ordinality n(first_name, last_name, place)
    ) n on lower(btrim(coalesce(c.last_name, ''), E' \t\n\r\f\v')) = n.last_name
        and lower(btrim(coalesce(c.first_name, ''), E' \t\n\r\f\v')) = n.first_name
    where c.account_id = :account_id and c.deleted_at is null
) named
where nth <= :most
group by place;

-- name: living_contacts_by_id
-- Those of the public ids whose contacts are not deleted.
select contact_no, contact_id from contact
where account_id = :account_id and contact_id = any(:contact_ids) and deleted_at is null;
