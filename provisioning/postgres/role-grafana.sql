-- Sets up the role that Grafana reads the database with: it may log in and read, nothing else. Run by an administrator, in
-- the database that gleaner uses, with the password in the environment (never on a command line); again to change the password:
--
--   GRAFANA_DB_PASSWORD=… psql --dbname=gleaner --file=provisioning/postgres/role-grafana.sql
--
-- What it may read is granted by gleaner, which owns the tables, at each of its starts (or by `gleaner migrate`).
-- docker-compose.yml has the database's image run this when the volume is new.
\set ON_ERROR_STOP on
\getenv password GRAFANA_DB_PASSWORD
\if :{?password}
\else
do $$ begin raise exception 'GRAFANA_DB_PASSWORD is not set'; end $$;
\endif
select current_database() as database \gset

begin;
-- Where gleaner may create roles it has made this one already, without a password.
select 'create role grafana_reader' where not exists (select from pg_roles where rolname = 'grafana_reader') \gexec
alter role grafana_reader login nosuperuser nocreatedb nocreaterole noinherit noreplication nobypassrls connection limit 20
  password :'password';
alter role grafana_reader set default_transaction_read_only = on;
alter role grafana_reader set statement_timeout = '15s';
grant connect on database :"database" to grafana_reader;
grant usage on schema public to grafana_reader;
commit;
