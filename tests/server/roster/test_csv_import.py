"""Schools' own files into SQLite and PostgreSQL."""

from __future__ import annotations

import io
import sqlite3
import time
import zipfile
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import select, text

from twinclass_server.roster import models
from twinclass_server.roster.csv_bundle import SAMPLE, Bundle, from_folder, from_upload
from twinclass_server.roster.csv_file import CsvProblem
from twinclass_server.roster.csv_import import FileReport, import_bundle
from twinclass_server.roster.database import (
    SCHEMAS,
    Database,
    DatabaseUnusable,
    Schema,
    last_revision,
)
from twinclass_server.roster.migrating import alembic_config


@pytest.fixture
def database(databases: list[Database]) -> Database:
    return databases[0]


def people(*lines: str, header: str = "编号,姓名") -> Bundle:
    return {"people": "\n".join((header, *lines)).encode()}


def zipped(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return target.getvalue()


def test_the_same_files_twice_change_nothing(databases: list[Database]) -> None:
    for database in databases:
        bundle = from_folder(SAMPLE)
        first, second = import_bundle(database, bundle), import_bundle(database, bundle)
        assert not first.errors
        assert all(file.created == file.read for file in first.files)
        assert all(file.unchanged == file.read for file in second.files)


def test_models_and_migrations_say_the_same(databases: list[Database]) -> None:
    for database in databases:
        for schema in SCHEMAS:
            config = alembic_config(schema)
            with database.engine.begin() as connection:
                config.attributes["connection"] = connection
                command.check(config)


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.version_table)
def test_a_start_knows_the_newest_revision_without_alembic(schema: Schema) -> None:
    script = ScriptDirectory.from_config(alembic_config(schema))
    assert last_revision(schema) == script.get_current_head()


def test_changed_rows_are_written_and_a_dry_run_writes_nothing(
    databases: list[Database],
) -> None:
    for database in databases:
        import_bundle(database, people("a,示例甲", "b,示例乙"))
        tried = import_bundle(database, people("a,示例新名", "c,示例丙"), dry_run=True)
        assert (tried.files[0].changed, tried.files[0].created) == (1, 1)
        query = select(models.Person.name).order_by(models.Person.sourced_id)
        with database.session() as session:
            assert list(session.scalars(query)) == ["示例甲", "示例乙"]
        import_bundle(database, people("a,示例新名"))
        with database.session() as session:
            assert list(session.scalars(query)) == ["示例新名", "示例乙"]


def test_ids_of_people_are_opaque(database: Database) -> None:
    import_bundle(database, people("20260901,示例甲"))
    with database.session() as session:
        (found,) = session.scalars(select(models.Person.id))
    assert "20260901" not in found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
def test_files_of_every_spreadsheet_are_read(database: Database, encoding: str) -> None:
    bundle: Bundle = {"people": "编号,姓名\r\na,示例甲\r\n".encode(encoding)}
    assert not import_bundle(database, bundle).errors
    with database.session() as session:
        assert list(session.scalars(select(models.Person.name))) == ["示例甲"]


def test_bad_rows_are_told_by_line_and_the_others_come_in(database: Database) -> None:
    report = import_bundle(
        database,
        people(
            "a,示例甲",
            "b," + "长" * 10_000,
            "a,示例又",
            ",无编号",
            "c,",
            "d,坏\x00名",
            "e,示例,没有的学校",
            "f,<b>&\"'=1+1",
            header="编号,姓名,学校编号",
        ),
    )
    assert [(error.line, error.code) for error in report.errors] == [
        (3, "cell_long"),
        (4, "duplicate"),
        (5, "cell_empty"),
        (6, "cell_empty"),
        (7, "cell_control"),
        (8, "reference_unknown"),
    ]
    assert all(error.zh and error.en for error in report.errors)
    assert report.files[0] == FileReport("people", read=8, created=2, errors=6)
    with database.session() as session:
        query = select(models.Person.name).order_by(models.Person.sourced_id)
        assert list(session.scalars(query)) == ["示例甲", "<b>&\"'=1+1"]


def test_formulas_and_markup_are_plain_text(database: Database) -> None:
    names = ["=HYPERLINK(1)", "<script>alert(1)</script>", "'; DROP TABLE person"]
    import_bundle(database, people(*(f"p{n},{name}" for n, name in enumerate(names))))
    with database.session() as session:
        query = select(models.Person.name).order_by(models.Person.sourced_id)
        assert list(session.scalars(query)) == names


def test_a_file_that_is_not_text_is_told(database: Database) -> None:
    report = import_bundle(database, {"people": b"\xff\xff\xff\x00"})
    assert [error.code for error in report.errors] == ["encoding_unknown"]


def test_missing_columns_are_named(database: Database) -> None:
    report = import_bundle(database, {"people": b"name\nx\n"})
    assert report.errors[0].code == "column_missing"
    assert "编号" in report.errors[0].zh


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"../people.csv": b"x"}, "zip_path"),
        ({"/etc/people.csv": b"x"}, "zip_path"),
        ({"..\\people.csv": b"x"}, "zip_path"),
        ({"a/people.csv": b"x", "人员.csv": b"y"}, "file_twice"),
        ({"readme.txt": b"x"}, "no_files"),
    ],
)
def test_harmful_and_useless_zips_are_refused(files: dict[str, bytes], code: str) -> None:
    with pytest.raises(CsvProblem) as caught:
        from_upload("x.zip", zipped(files))
    assert caught.value.code == code


def test_a_zip_bomb_is_not_unpacked() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("people.csv", b"a" * (51 * 1024 * 1024))
    with pytest.raises(CsvProblem) as caught:
        from_upload("x.zip", target.getvalue())
    assert caught.value.code == "file_too_large"


def test_chinese_file_names_in_a_zip_are_known() -> None:
    assert from_upload("x.zip", zipped({"名单/学校.csv": b"x"})) == {"schools": b"x"}


def test_the_file_is_copied_before_it_is_changed(tmp_path: Path) -> None:
    database = Database("", tmp_path)
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('0000')"))
    with pytest.raises(DatabaseUnusable):  # It is of a version nobody knows.
        database.migrate()
    database.close()
    (copy,) = tmp_path.glob("*.before-0000")
    with sqlite3.connect(copy) as found:
        assert found.execute("SELECT * FROM alembic_version").fetchall() == [("0000",)]
    found.close()


def test_a_city_is_imported_within_a_minute(
    databases: list[Database],
) -> None:
    header = "编号,姓名,班级编号,角色"
    bundle: Bundle = {
        "schools": b"school_id,school_name\ns,x\n",
        "classes": "班级编号,学校编号,班级名称\n".encode()
        + b"".join(b"c%d,s,k%d\n" % (n, n) for n in range(1300)),
        **people(*(f"p{n},示例学生{n},c{n % 1300},学生" for n in range(60_000)), header=header),
    }
    for database in databases:
        begun = time.perf_counter()
        report = import_bundle(database, bundle)
        seconds = time.perf_counter() - begun
        print(f"\n60,000 pupils into {database.engine.dialect.name}: {seconds:.1f} s")
        assert report.files[-1].created == 60_000
        assert seconds < 60
