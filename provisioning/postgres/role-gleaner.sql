-- Sets up the database for gleaner's own role: it may connect and own tables, and nothing else. Run once by an administrator,
-- in the database that gleaner will use, with the password in the environment (never on a command line):
--
--   GLEANER_DB_PASSWORD=… psql --dbname=gleaner --file=provisioning/postgres/role-gleaner.sql
--
-- docker-compose.yml has the database's image run it when the volume is new. TimescaleDB, where it is wanted, has been
-- created by then: an ordinary role may not.
\set ON_ERROR_STOP on
\getenv password GLEANER_DB_PASSWORD
\if :{?password}
\else
do $$ begin raise exception 'GLEANER_DB_PASSWORD is not set'; end $$;
\endif
select current_database() as database \gset

begin;
create role gleaner login nosuperuser nocreatedb nocreaterole noreplication password :'password';
revoke all on database :"database" from public;
grant connect, temporary on database :"database" to gleaner;
revoke all on schema public from public;
grant usage, create on schema public to gleaner;
commit;
