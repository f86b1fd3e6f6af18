-- name: role_sees_through_walls$
-- Whether the connected role could see other accounts' rows: null when there are no tables yet.
select
    (select rolsuper or rolbypassrls from pg_roles where rolname = current_user)
    or bool_or(pg_has_role(current_user, relowner, 'usage'))
from pg_class
where relname in ('account', 'contact', 'activity', 'set_chunk') and relkind in ('r', 'p')
    and relnamespace = 'public'::regnamespace
having count(*) > 0;

-- name: role_exists$
select exists (select from pg_roles where rolname = :role);

-- name: create_role$
-- The DDL that makes the role of API and workers; names and passwords cannot be parameters of DDL.
select format(
    'create role %I login nosuperuser nobypassrls nocreatedb nocreaterole password %s',
    :role::text, coalesce(quote_literal(nullif(:password::text, '')), 'null')
);

-- name: prepare_role
-- The DDL that lets the role work: rows, not tables, and none of the migration tool's. A transaction in which nothing
-- happens is ended after 15 s (by a sweep, within a statement) and a dead connection is noticed within 15 s, sooner than
-- any lease runs out, so a frozen worker cannot hold locks past it.
-- Pages are taken to be as cheap in any order (solid state, or in memory): else 10,000 contacts would be looked up by
-- reading a million. And plans are kept: the statements are of rows by their keys, for which every plan is the same, and
-- making it anew each time would take a third of their time.
select format(ddl, :role::text) as ddl
from unnest(array[
    'grant usage on schema public to %1$I',
    'grant select, insert, update, delete on all tables in schema public to %1$I',
    'revoke all on _pogo_migration, _pogo_version from %1$I',
    'grant usage on all sequences in schema public to %1$I',
    'alter role %1$I set idle_in_transaction_session_timeout = ''15s''',
    'alter role %1$I set tcp_user_timeout = ''15s''',
    'alter role %1$I set client_connection_check_interval = ''5s''',
    'alter role %1$I set random_page_cost = 1.1',
    'alter role %1$I set plan_cache_mode = force_generic_plan',
    'alter role %1$I set jit = off'
]) as ddl;
