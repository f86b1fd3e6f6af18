-- name: lock_organizations
-- Who makes or changes organizations takes turns: their keys differ, which no index can say. Locks no row; taken first.
select pg_advisory_xact_lock(hashtextextended('organizations', 0));

-- name: create_organization$
insert into organization (name, name_key, api_keys, redirect_secret) values (:name, :name_key, '{}', '')
returning organization_id;

-- name: change_organization^
update organization set
    api_keys = coalesce(:api_keys, api_keys),
    redirect_hosts = coalesce(:redirect_hosts, redirect_hosts),
    redirect_secret = coalesce(:redirect_secret, redirect_secret),
    redirect_digest = coalesce(:redirect_digest, redirect_digest),
    networks = coalesce(:networks::cidr[], networks)
where organization_id = :organization_id
returning *;

-- name: has_key_of_another$
select exists (
    select from organization o
    join organization other on other.organization_id <> o.organization_id and other.api_keys && o.api_keys
    where o.organization_id = :organization_id
);

-- name: organization_of_name^
select * from organization where name_key = :name_key;

-- name: organization_of_key^
select * from organization where api_keys @> array[:api_key::text];

-- name: organizations
select * from organization order by organization_id;

-- name: put_into_organization!
update account set organization_id = :organization_id where account_id = :account_id;

-- name: is_organization$
select exists (select from organization where organization_id = :organization_id);

-- name: organization_of_account$
select organization_id from account where account_id = :account_id;

-- name: owner_of_account$
-- The oldest user whose home the account is. Under the lock of the account's names.
select p.principal_id
from principal_grant g
join principal p on p.principal_id = g.principal_id and p.kind = 'user'
where g.account_id = :grant_account and g.home
order by p.created_at, p.principal_id
limit 1;

-- name: add_administrator!
insert into organization_administrator (organization_id, principal_id) values (:organization_id, :principal_id)
on conflict (organization_id, principal_id) do nothing;

-- name: remove_administrator!
delete from organization_administrator where organization_id = :organization_id and principal_id = :principal_id;

-- name: delete_administrations!
delete from organization_administrator where principal_id = :principal_id;

-- name: is_administrator$
select exists (
    select from organization_administrator
    where organization_id = :organization_id and principal_id = :principal_id
);

-- name: administrators
select l.name from organization_administrator a join login l on l.principal_id = a.principal_id
where a.organization_id = :organization_id
order by l.name_key;
