"""The floor reads what the receipts name, joins on the plain number and adds up; its sums can be done by hand."""

import pytest

from bench.feeds import size_of
from bench.floor import run_floor

COLUMNS = {"households.csv": 11, "members.csv": 9, "authorisations.csv": 5}
MEMBER, STRANGER = "999001199001010018", "999001199001010026"


@pytest.fixture
def feeds(tmp_path):
    import xlsxwriter

    def write(path, text, encoding="utf-8"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode(encoding))

    for name, columns in COLUMNS.items():
        header, row = ["列"] * columns, ["x"] * columns
        row[1] = MEMBER
        write(tmp_path / "roster" / name, ",".join(header) + "\n" + ",".join(row) + "\n")
    tax = "\n".join(
        f"{who},张三,202605,工资薪金,{amount},x,y" for who, amount in ((MEMBER, "10.50"), (STRANGER, "7"))
    )
    write(tmp_path / "tax" / "income-1.csv", "a,b,c,d,e,f,g\n" + tax + "\n")
    banks = f"{MEMBER},朱镕,1,2,活期,CNY,3.25,2026-05-01\n{MEMBER},朱镕,1,2,活期,CNY,many,2026-05-01\n"
    write(tmp_path / "banks" / "1-1.csv", "号,名,行,账,类,币,额,日\n" + banks, "gb18030")
    write(tmp_path / "market_regulation" / "interests-1.csv", "a,b,c,d,e,f,g,h,i\n", "gb18030")
    person = f"1|{MEMBER}|名|1|x|01|440103|正常|\r\n"
    write(tmp_path / "household_registration" / "persons-1.txt", "a|b|c|d|e|f|g|h|i\r\n" + person, "gb18030")
    policies = f'{{"policies": [{{"holder_id_number": "{MEMBER}", "cash_value": 100}}, 5]}}'
    write(tmp_path / "insurance" / "policies-1.json", policies)
    holdings = f'{{"id_number": "{MEMBER}", "market_value": 2, "cash_balance": "1.5"}}\nbroken\n'
    write(tmp_path / "securities" / "holdings-1.jsonl", holdings)
    (tmp_path / "rural_revitalisation").mkdir()
    with xlsxwriter.Workbook(tmp_path / "rural_revitalisation" / "440103.xlsx") as book:
        sheet = book.add_worksheet("监测对象")
        sheet.write_row(0, 0, ["标题"])
        sheet.write_row(1, 0, ["列"] * 17)
        sheet.write_row(
            2, 0, ["R1", "440103", "440103001", "农村", "名", MEMBER, "01", "x", "否", 9, 800, *["x"] * 6]
        )
    return tmp_path


def test_sums_of_people_on_the_roster_only(feeds):
    with run_floor(feeds, threads=1) as con:
        sums = dict(con.execute("select source, (records, amount) from total").fetchall())
    assert sums == {
        "tax": (1, 10.5),
        "banks": (2, 3.25),
        "household_registration": (1, None),
        "insurance": (1, 100.0),
        "securities": (1, 3.5),
        "rural_revitalisation": (1, 800.0),
    }


def test_size_counts_what_the_receipts_name(tmp_path):
    (tmp_path / "tax").mkdir()
    (tmp_path / "tax" / "income-1.csv").write_bytes(b"12345")
    (tmp_path / "tax" / "notes.txt").write_bytes(b"not named")
    (tmp_path / "tax" / "receipt.json").write_text('{"files": [{"name": "income-1.csv", "rows": 3}]}')
    assert size_of(tmp_path) == {"rows": 3, "bytes": 5}
