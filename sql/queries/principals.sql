-- name: create_principal$
-- A principal with its home.
with made as (
    insert into principal (kind, name) values (:kind, :name) returning principal_id
)
insert into principal_grant (principal_id, account_id, privileges, home)
select principal_id, :grant_account, :privileges::text[], true from made
returning principal_id;

-- name: grant!
-- Privileges in an account, instead of those that the principal had there.
insert into principal_grant (principal_id, account_id, privileges)
values (:principal_id, :grant_account, :privileges)
on conflict (principal_id, account_id) do update set privileges = excluded.privileges;

-- name: grant_is_of_home$
-- Whether the account is the principal's home; null when it has no grant there. Locks the grant's row.
select home from principal_grant where principal_id = :principal_id and account_id = :grant_account for update;

-- name: revoke_grant!
delete from principal_grant where principal_id = :principal_id and account_id = :grant_account;

-- name: delete_grants!
delete from principal_grant where principal_id = :principal_id;

-- name: access_of_principal
-- Every grant of a principal.
select p.principal_id, p.name, g.account_id, g.privileges, g.home, null::double precision as seconds
from principal p
join principal_grant g on g.principal_id = p.principal_id
where p.principal_id = :principal_id;

-- name: take_requests^
-- Takes the next :block of the :most requests that a principal may make until the day ends, at 00:00 UTC: how many it
-- gets, and the seconds until then. Locks the grant's row. Who looked at the clock before midnight and comes after
-- somebody who did later takes from the new day.
update principal_grant g set
    requests = case when g.requests_on >= today.day then g.requests else 0 end + :block,
    requests_on = greatest(g.requests_on, today.day)
from (select (now() at time zone 'UTC')::date as day) today
where g.principal_id = :principal_id and g.account_id = :grant_account
returning
    greatest(0, least(:block::bigint, :most - g.requests + :block)) as granted,
    extract(epoch from (g.requests_on + 1)::timestamp at time zone 'UTC' - now())::double precision as seconds;
