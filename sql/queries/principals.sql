-- name: create_principal$
insert into principal (kind, name) values ('token', :name) returning principal_id;

-- name: grant!
insert into principal_grant (principal_id, account_id, privileges, home)
values (:principal_id, :grant_account, :privileges, true);

-- name: create_token!
insert into token (token_hash, principal_id, hint, expires_at)
values (:token_hash, :principal_id, :hint, :expires_at);

-- name: principal_of_token^
-- Whom an API token speaks for, in its principal's home account; nothing when it is unknown, revoked or expired.
select t.principal_id, g.account_id, g.privileges
from token t
join principal_grant g on g.principal_id = t.principal_id and g.home
where t.token_hash = :token_hash and t.purpose = 'api'
    and t.revoked_at is null and (t.expires_at is null or t.expires_at > now());

-- name: tokens_of_account
select t.principal_id, p.name, t.hint, g.privileges, t.created_at, t.expires_at, t.revoked_at
from principal_grant g
join principal p on p.principal_id = g.principal_id
join token t on t.principal_id = g.principal_id and t.purpose = 'api'
where g.account_id = :grant_account
order by t.created_at;

-- name: revoke_tokens!
update token set revoked_at = now()
where principal_id = :principal_id and revoked_at is null;

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
