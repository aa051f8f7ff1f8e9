"""Small feeds written by hand, one of each format, in the departments' own encodings and line ends."""

import hashlib
import json
from pathlib import Path

CANARY = "440103197001010017"
CANARY_NAME = "金丝雀慧敏"
SOURCES = ["banks", "tax", "securities", "insurance", "household_registration", "roster"]


def write_feeds(folder: Path, bank_rows: int = 200) -> Path:
    banks = "公民身份号码,姓名,开户行代码,账号,账户类型,币种,余额,余额日期\n"
    banks += f'{CANARY},{CANARY_NAME},105100,0000000000000012,活期,CNY,"1,300.10",2026/6/9\n'
    banks += "".join(
        f"44010319710101{n % 10000:04d},赵{chr(0x4E00 + n % 5000)},105100,{n:016d},定期,CNY,{n}.50,20260601\n"
        for n in range(bank_rows)
    )
    tax = "公民身份号码,姓名,所属期,所得项目,收入额,扣缴义务人代码,扣缴义务人名称\r\n"
    tax += f'{CANARY},{CANARY_NAME},202605,工资薪金,4500.00,91440101MA00000000,"甲""乙""丙有限公司"\r\n'
    holdings = [
        f'{{"id_number": "{CANARY}", "name": "{CANARY_NAME}", "broker_code": "S101", "account_no": "00001", '
        '"market_value": 1300.10, "cash_balance": -0.50, "currency": "CNY", "as_of": "2026-06-28"}',
        '{"id_number": "440103198001010012", "broker_code": "S101", "account_no": "00002", '
        '"market_value": 20000, "cash_balance": 7.00, "currency": "USD", "as_of": "2026-06-28"}',
    ]
    policies = (
        f'{{"policy_no": "P1", "insurer_code": "P11", "holder_id_number": "{CANARY}", '
        f'"holder_name": "{CANARY_NAME}", "product_type": "年金", "annual_premium": "1,200.00", '
        '"cash_value": "30000.00", "effective_on": "2020-01-01", "expires_on": "", "status": "有效"}'
    )
    persons = "户号|公民身份号码|姓名|性别|出生日期|与户主关系|户籍地代码|户籍状态|状态日期\r\n"
    # 丄 is 81 7C in GB18030: its second byte is the separator's.
    persons += f"H1|{CANARY}|{CANARY_NAME}|女|19700101|01|440103|正常|\r\n"
    persons += "H1|440103198001010012|丄|男|19800101|10|440103|死亡|2026-06-01\r\n"
    households = "家庭编号,救助类别,县区代码,乡镇代码,城乡,认定日期,月救助金额,"
    households += "申报家庭月收入,申报金融资产,年刚性支出,状态\n"
    households += "H000001,低保,440103,440103001,城镇,2024-01-01,800.00,1000.00,0.00,0.00,在保\n"
    members = "家庭编号,公民身份号码,姓名,角色,与户主关系,残疾等级,残疾类别,重病,劳动能力\n"
    members += f"H000001,{CANARY},{CANARY_NAME},成员,01,,,否,丧失\n"
    papers = "授权书编号,公民身份号码,签署日期,有效期至,授权范围\n" + f"SQ1,{CANARY},2025-01-01,,*\n"
    texts = {
        "banks": {
            "105100-1.csv": banks.encode("gb18030"),
            "208-1.csv": banks[: banks.find("\n") + 1].encode("gb18030"),
        },
        "tax": {"income-2026.csv": b"\xef\xbb\xbf" + tax.encode()},
        "securities": {"holdings-S101.jsonl": ("\n".join(holdings) + "\n").encode()},
        "insurance": {"policies-P11.json": ('{"policies": [\n' + policies + "\n]}\n").encode()},
        "household_registration": {"persons-1.txt": persons.encode("gb18030")},
        "roster": {
            "households.csv": households.encode(),
            "members.csv": members.encode(),
            "authorisations.csv": papers.encode(),
        },
    }
    rows = {"banks": [bank_rows + 1, 0], "securities": [2], "household_registration": [2]}
    for source, files in texts.items():
        write_feed(folder / source, source, files, rows.get(source, [1] * len(files)))
    return folder


def write_feed(
    folder: Path, source: str, files: dict[str, bytes], rows: list[int], snapshot: str = "2026-06-29"
) -> None:
    folder.mkdir(parents=True)
    listed = []
    for (name, content), count in zip(files.items(), rows, strict=True):
        (folder / name).write_bytes(content)
        listed.append({"name": name, "sha256": hashlib.sha256(content).hexdigest(), "rows": count})
    receipt = {"source": source, "snapshot_date": snapshot}
    if source == "tax":
        receipt["covers"] = ["2025-12", "2026-05"]
    receipt["files"] = sorted(listed, key=lambda one: one["name"])
    (folder / "receipt.json").write_text(json.dumps(receipt, ensure_ascii=False), encoding="utf-8")


def delivered(feed) -> dict[str, bytes]:
    """Every file the receipt names, as bytes; the receipt's hashes hold."""
    files = {}
    for entry in json.loads(feed.receipt())["files"]:
        with feed.open(entry["name"]) as stream:
            files[entry["name"]] = stream.read()
        assert hashlib.sha256(files[entry["name"]]).hexdigest() == entry["sha256"], entry["name"]
    return files
