"""Expand first, contract later: what a migration may do while an old node works, and what an upgrade refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.config import Config
from sqlalchemy import inspect

import edi_gateway.store.migrations.versions as versions
from edi_gateway.store import migrate
from edi_gateway.store.database import Database
from edi_gateway.store.migration_rules import CONTRACT, EXPAND, losses, phase
from tests.databases import database_url

FOLDER = Path(next(iter(versions.__path__)))


def migration(*steps: str, number: int = 2, after: int = 1, said: str = "") -> str:
    lines = [f'revision = "{number:04}"', f'down_revision = "{after:04}"', "branch_labels = depends_on = None", said]
    head = ["import sqlalchemy as sa", "from alembic import op", *lines, "def upgrade():", *(f"    {s}" for s in steps)]
    return "\n".join([*head, "def downgrade():", "    pass", ""])


@pytest.mark.parametrize("path", sorted(FOLDER.glob("0*.py")), ids=lambda path: path.stem)
def test_every_migration_that_does_not_say_so_only_expands(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert phase(source) in (EXPAND, CONTRACT)
    assert phase(source) == CONTRACT or not losses(source)


@pytest.mark.parametrize(
    "step, fault",
    [
        ('op.drop_table("receipt")', "drops a table"),
        ('op.rename_table("receipt", "mdn")', "renames a table"),
        ('op.batch_alter_table("receipt").drop_column("mic")', "drops a column"),
        ('op.alter_column("receipt", "mic", new_column_name="digest")', "renames a column"),
        ('op.alter_column("receipt", "mic", type_=sa.Integer())', "changes the type"),
        ('op.alter_column("receipt", "mic", nullable=False)', "forbids NULL"),
        ('op.add_column("receipt", sa.Column("size", sa.Integer(), nullable=False))', "no server_default"),
        ('op.execute("delete from receipt")', "drops, deletes or renames"),
        ("op.execute(statement)", "cannot be judged"),
    ],
)
def test_what_contracts(step: str, fault: str) -> None:
    (found,) = losses(migration(step))
    assert fault in found


@pytest.mark.parametrize(
    "step",
    [
        'op.create_table("note", sa.Column("id", sa.Integer(), nullable=False))',
        'op.add_column("receipt", sa.Column("size", sa.Integer(), nullable=True))',
        'op.add_column("receipt", sa.Column("size", sa.Integer(), nullable=False, server_default="0"))',
        'op.create_index("ix_receipt_at", "receipt", ["at"])',
        'op.alter_column("receipt", "mic", nullable=True)',
        'op.execute("update receipt set mic = mic")',
    ],
)
def test_what_expands(step: str) -> None:
    assert losses(migration(step)) == []


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The migrations of a later version: those that there are, and what a test puts beside them."""
    folder = tmp_path / "later"
    folder.mkdir()
    for path in FOLDER.glob("0*.py"):
        (folder / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    set_option = Config.set_main_option

    def with_versions(config: Config, name: str, value: str) -> None:
        set_option(config, name, value)
        set_option(config, "version_locations", str(folder))
        set_option(config, "path_separator", "newline")

    monkeypatch.setattr(Config, "set_main_option", with_versions)
    monkeypatch.setattr(migrate, "versions", lambda: folder)
    return folder


def test_an_upgrade_that_would_lose_data_is_refused_until_it_is_asked_for(tmp_path: Path, scripts: Path) -> None:
    url = database_url(tmp_path, empty=True)
    migrate.upgrade(url)
    last = len(list(FOLDER.glob("0*.py")))
    (scripts / f"{last + 1:04}_next.py").write_text(migration('op.drop_table("counter")', number=last + 1, after=last))
    with pytest.raises(migrate.WouldLoseData, match="drops a table"):
        migrate.upgrade(url)
    database = Database(url)
    assert "counter" in inspect(database.engine).get_table_names()
    migrate.upgrade(url, contract=True)
    assert "counter" not in inspect(database.engine).get_table_names()
    database.close()


def test_an_old_node_works_on_while_a_new_one_expands(tmp_path: Path, scripts: Path) -> None:
    url = database_url(tmp_path, empty=True)
    migrate.upgrade(url)
    old = Database(url)
    with old.read() as view:  # it is in the middle of reading
        view.connection.exec_driver_sql("SELECT count(*) FROM counter")
    last = len(list(FOLDER.glob("0*.py")))
    column = 'sa.Column("note", sa.Text(), nullable=False, server_default="")'
    (scripts / f"{last + 1:04}_next.py").write_text(
        migration(f'op.add_column("counter", {column})', number=last + 1, after=last)
    )
    assert migrate.upgrade(url) == (f"{last:04}", f"{last + 1:04}")
    from edi_gateway.store.documents import take_number

    with old.write() as uow:
        assert take_number(uow.session, "order") == 1
        uow.commit()
    old.close()
