-- What principals show to be believed: tokens, sessions (which are tokens, too), logins and signed keys.

-- name: create_token!
insert into token (token_hash, principal_id, hint, expires_at)
values (:token_hash, :principal_id, :hint, :expires_at);

-- name: access_of_token
-- Whom a token for a purpose speaks for, with every grant of its; nothing when it is unknown, revoked or has ended.
-- seconds: until it ends. to_slide: whether this use moves its end on by a minute, or by half of how far uses do.
select
    t.principal_id, p.name, g.account_id, g.privileges, g.home, t.account_id as session_account,
    extract(epoch from t.expires_at - now())::double precision as seconds,
    coalesce(t.expires_at <= now() + t.slides - least(interval '1 minute', t.slides / 2), false) as to_slide
from token t
join principal p on p.principal_id = t.principal_id
join principal_grant g on g.principal_id = t.principal_id
where t.token_hash = :token_hash and t.purpose = :purpose
    and t.revoked_at is null and (t.expires_at is null or t.expires_at > now());

-- name: tokens_of_account
select t.principal_id, p.name, t.hint, g.privileges, t.created_at, t.expires_at, t.revoked_at
from principal_grant g
join principal p on p.principal_id = g.principal_id
join token t on t.principal_id = g.principal_id and t.purpose = 'api'
where g.account_id = :grant_account and g.home
order by t.created_at;

-- name: revoke_tokens!
update token set revoked_at = now()
where principal_id = :principal_id and purpose = 'api' and revoked_at is null;

-- name: open_session!
-- A session that ends after :seconds; nothing is made when the principal has no grant in the account.
insert into token (token_hash, principal_id, hint, purpose, account_id, expires_at, slides)
select
    :token_hash, g.principal_id, :hint, :purpose, :session_account::bigint,
    now() + make_interval(secs => :seconds),
    case when :slides then make_interval(secs => :seconds) end
from principal_grant g
where g.principal_id = :principal_id
    and (g.account_id = :session_account::bigint or :session_account::bigint is null and g.home);

-- name: slide_session!
-- Moves the end of a session on, unless it has been closed or has ended meanwhile.
update token set expires_at = now() + slides
where token_hash = :token_hash and revoked_at is null and expires_at > now();

-- name: close_session!
update token set revoked_at = now()
where token_hash = :token_hash and purpose = :purpose and revoked_at is null;

-- name: close_sessions!
update token set revoked_at = now()
where principal_id = :principal_id and purpose <> 'api' and revoked_at is null;

-- name: prune_sessions!
-- Deletes at most :limit sessions that have ended; of two that prune at once each passes over what the other has locked.
with ended as materialized (
    select token_hash from token
    where purpose <> 'api' and expires_at < now()
    order by expires_at
    limit :limit
    for update skip locked
)
delete from token t using ended where t.token_hash = ended.token_hash;

-- name: create_login!
insert into login (principal_id, name, name_key, password_hash)
values (:principal_id, :name, :name_key, :password_hash);

-- name: login_of_name^
select principal_id, password_hash from login where name_key = :name_key;

-- name: set_password!
update login set password_hash = :password_hash, updated_at = now() where principal_id = :principal_id;

-- name: delete_login!
delete from login where principal_id = :principal_id;

-- name: users_of_account
select l.principal_id, l.name, g.home, g.privileges, l.created_at
from principal_grant g
join login l on l.principal_id = g.principal_id
where g.account_id = :grant_account
order by l.created_at, l.principal_id;

-- name: user_of_account^
select l.principal_id, l.name, g.home, g.privileges, l.created_at
from principal_grant g
join login l on l.principal_id = g.principal_id
where g.account_id = :grant_account and g.principal_id = :principal_id;

-- name: create_key!
insert into signing_key (key_id, principal_id, secret) values (:key_id, :principal_id, :secret);

-- name: access_of_key
-- A key, be it revoked, with every grant of its principal.
select
    k.principal_id, p.name, g.account_id, g.privileges, g.home, null::double precision as seconds,
    k.secret, k.revoked_at
from signing_key k
join principal p on p.principal_id = k.principal_id
join principal_grant g on g.principal_id = k.principal_id
where k.key_id = :key_id;

-- name: keys_of_account
select k.key_id, p.name, g.privileges, k.created_at, k.revoked_at
from principal_grant g
join principal p on p.principal_id = g.principal_id
join signing_key k on k.principal_id = g.principal_id
where g.account_id = :grant_account and g.home
order by k.created_at;

-- name: revoke_key!
update signing_key k set revoked_at = now()
from principal_grant g
where k.key_id = :key_id and k.revoked_at is null
    and g.principal_id = k.principal_id and g.account_id = :grant_account and g.home;
