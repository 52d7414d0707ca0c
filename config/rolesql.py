"""The roles of one database as SQL to read, keep and run: what `manage.py ledger_roles` prints.

The statements about roles, database and schema are those that `config.roles` executes; rights on tables are those of
`config.privileges`.
"""

from collections.abc import Iterable, Iterator, Mapping

from psycopg import sql

from config import privileges, roles

_HEADER = """\
-- The roles of the database {database}, and what each may do with it. Made by `manage.py ledger_roles`.
--
-- Run it as a superuser of the server, before the first migration and again whenever in doubt, as after a restore:
-- rights that are missing are given, rights beyond these are taken away. Run twice it changes nothing.
--
--     psql -v ON_ERROR_STOP=1 -d {database} -f THIS_FILE
--
-- It holds no passwords. Give each new role its own, inside psql:
{passwords}"""

_DATABASE = """\
  IF current_database() <> {database} THEN
    RAISE EXCEPTION 'these roles are for the database %, but this is %', {database}, current_database();
  END IF;
  PERFORM pg_advisory_xact_lock({lock});"""

_ROLE = """\
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {word}) THEN
    CREATE ROLE {name} LOGIN {rights};
  ELSIF EXISTS (SELECT FROM pg_roles WHERE rolname = {word} AND (NOT rolcanlogin OR rolsuper OR rolcreatedb
                OR rolcreaterole OR rolreplication OR rolbypassrls)) THEN
    ALTER ROLE {name} LOGIN {rights};
  END IF;"""

_STRANGERS = """\
  FOR found IN
    SELECT g.rolname AS granted, m.rolname AS member FROM pg_auth_members a
      JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
     WHERE g.rolname IN ({all}) AND m.rolname IN ({others})
  LOOP
    EXECUTE format('REVOKE %I FROM %I', found.granted, found.member);
  END LOOP;"""

_TAKE = """\
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {others};
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, {others};
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public REVOKE ALL ON TABLES FROM PUBLIC, {others};
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public REVOKE ALL ON SEQUENCES FROM PUBLIC, {others};"""

_DEFAULT = """\
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT {rights} ON {kind} TO {role};"""

_OBJECTS = """\
  FOR found IN SELECT * FROM (VALUES
{rows}
  ) AS design (role, kind, relation, rights) WHERE to_regclass(format('public.%I', relation)) IS NOT NULL
  LOOP
    EXECUTE format('GRANT %s ON %s public.%I TO %I', found.rights, found.kind, found.relation, found.role);
  END LOOP;
  FOR found IN SELECT * FROM (VALUES
{kept}
  ) AS design (role, relation) WHERE to_regclass(format('public.%I', relation)) IS NOT NULL
  LOOP
    EXECUTE format('REVOKE ALL ON SEQUENCE public.%I FROM %I', found.relation, found.role);
  END LOOP;"""

# A function that acts as its owner must not be everybody's to call, which is what PostgreSQL gives by default.
_FUNCTIONS = """\
  FOR found IN SELECT oid::regprocedure AS name FROM pg_proc
                WHERE pronamespace = 'public'::regnamespace AND prosecdef
  LOOP
    EXECUTE 'REVOKE ALL ON FUNCTION ' || found.name || {from_all};
  END LOOP;
  FOR found IN SELECT * FROM (VALUES
{rows}
  ) AS design (role, name) WHERE to_regprocedure('public.' || name) IS NOT NULL
  LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION public.%s TO %I', found.name, found.role);
  END LOOP;"""

# Nothing is handed over silently: an owner of tables may take down what guards them.
_OWNERS = """\
  FOR found IN SELECT relname, pg_get_userbyid(relowner) AS held FROM pg_class
                WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S', 'v', 'm')
                  AND pg_get_userbyid(relowner) <> {word}
  LOOP
    RAISE WARNING '% belongs to %, not to %', found.relname, found.held, {word};
  END LOOP;"""


def script(*, database: str, names: roles.Roles, tables: Iterable[str]) -> str:
    """SQL that gives one database its four roles: idempotent, one transaction, for psql or any other client.

    Args:
        database: its name.
        names: the roles' names.
        tables: every table that the migrations make; one that is not there yet is passed over.
    """
    users = {"app": names.app, "signer": names.signer, "reader": names.reader}
    others = ", ".join(map(_identifier, users.values()))
    shared = {"owner": _identifier(names.owner), "others": others, "word": _literal(names.owner)}
    of_database = [
        sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(database), sql.Identifier(names.owner)),
        *roles.database_rights(database, names),
        *roles.schema_rights(names),
    ]
    functions = ((users[word], name) for name, words in privileges.FUNCTIONS.items() for word in words)
    parts = (
        _HEADER.format(
            database=_identifier(database),
            passwords="\n".join(f"--     \\password {_identifier(name)}" for name in names.names()),
        ),
        "BEGIN;",
        _do(_DATABASE.format(database=_literal(database), lock=roles.ROLES_LOCK)),
        _do(*(_role(name) for name in names.names())),
        _do(
            _STRANGERS.format(
                all=", ".join(map(_literal, names.names())), others=", ".join(map(_literal, users.values()))
            )
        ),
        "\n".join(f"{statement.as_string(None)};" for statement in of_database),
        _TAKE.format(**shared),
        "\n".join(_defaults(users, _identifier(names.owner))),
        _do(
            _OBJECTS.format(
                rows=_values(_objects(users, tables)),
                kept=_values((names.app, sequence) for sequence in privileges.KEPT_FROM_APP),
            )
        ),
        _do(_FUNCTIONS.format(rows=_values(functions), from_all=_literal(f" FROM PUBLIC, {others}"))),
        _do(_OWNERS.format(**shared)),
        "COMMIT;",
    )
    return "\n\n".join(parts) + "\n"


def _role(name: str) -> str:
    return _ROLE.format(word=_literal(name), name=_identifier(name), rights=roles.RIGHTS)


def _defaults(users: Mapping[str, str], owner: str) -> Iterator[str]:
    """Rights on what a later migration makes, so that none has to name Django's own tables."""
    for kind, given in (("TABLES", privileges.ORDINARY), ("SEQUENCES", privileges.SEQUENCES)):
        for word, rights in given.items():
            if rights:
                yield _DEFAULT.format(owner=owner, rights=_words(rights), kind=kind, role=_identifier(users[word]))
    for word, rights in privileges.SEQUENCES.items():
        yield f"GRANT {_words(rights)} ON ALL SEQUENCES IN SCHEMA public TO {_identifier(users[word])};"


def _objects(users: Mapping[str, str], tables: Iterable[str]) -> Iterator[tuple[str, ...]]:
    for table in sorted(set(tables)):
        for word, user in users.items():
            if rights := privileges.rights(word, table):
                yield user, "TABLE", table, _words(rights)
    for sequence in privileges.SIGNER_SEQUENCES:
        yield users["signer"], "SEQUENCE", sequence, "USAGE, SELECT"


def _do(*statements: str) -> str:
    body = "\n".join(statements)
    declare = "DECLARE\n  found record;\n" if "FOR found IN" in body else ""
    return f"DO $assay$\n{declare}BEGIN\n{body}\nEND\n$assay$;"


def _values(rows: Iterable[tuple[str, ...]]) -> str:
    return ",\n".join(f"    ({', '.join(map(_literal, row))})" for row in rows)


def _words(rights: privileges.Rights) -> str:
    return ", ".join(word for word in ("SELECT", "INSERT", "UPDATE", "DELETE", "USAGE") if word in rights)


def _literal(text: str) -> str:
    return sql.Literal(text).as_string(None)


def _identifier(text: str) -> str:
    return sql.Identifier(text).as_string(None)
