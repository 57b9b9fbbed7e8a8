"""A city's library for benchmarks: 14,000 lessons, 7,866 packages, 4,543 homework samples."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from twinclass_recordings.library.models import (
    Attachment,
    Entry,
    EntrySchool,
    Member,
)
from twinclass_server.roster.database import Database

LESSONS, PACKAGES, SAMPLES = 14_000, 7_866, 4_543
SUBJECTS = [
    "语文",
    "数学",
    "英语",
    "物理",
    "化学",
    "生物学",
    "历史",
    "地理",
    "道德与法治",
    "音乐",
    "美术",
    "体育与健康",
    "信息科技",
    "科学",
    "劳动",
]
GRADES = [
    "一年级",
    "二年级",
    "三年级",
    "四年级",
    "五年级",
    "六年级",
    "七年级",
    "八年级",
    "九年级",
    "高一",
    "高二",
    "高三",
]
EDITIONS = ["人教版", "北师大版", "苏教版", "沪教版", "外研版", "译林版"]
TOPICS = [
    "有理数",
    "乘法",
    "分数",
    "方程",
    "函数",
    "几何",
    "勾股定理",
    "概率",
    "统计",
    "阅读",
    "写作",
    "古诗",
    "文言文",
    "说明文",
    "时态",
    "听力",
    "口语",
    "光的折射",
    "浮力",
    "电路",
    "压强",
    "氧化还原",
    "酸碱盐",
    "细胞",
    "遗传",
    "生态系统",
    "秦汉",
    "唐宋",
    "近代史",
    "气候",
    "地图",
    "人口",
    "宪法",
    "合唱",
    "素描",
    "篮球",
    "编程",
    "算法",
    "植物",
    "磁铁",
    "园艺",
    "Unit1",
    "Unit2",
    "Unit3",
    "holiday",
    "weather",
    "family",
]
SHAPES = ("{}的{}", "{}与{}", "认识{}和{}", "{}复习：{}", "第{n}课 {}（{}）", "{}{}练习讲评")
WORDS = [
    "引入",
    "例题",
    "讨论",
    "归纳",
    "应用",
    "小结",
    "作业",
    "分层",
    "探究",
    "实验",
    "情境",
    "互动",
    "提问",
    "合作",
    "展示",
    "评价",
]
RNG = random.Random(20261125)


def _title() -> str:
    first, second = RNG.sample(TOPICS, 2)
    return RNG.choice(SHAPES).format(first, second, n=RNG.randint(1, 40))


def fill(database: Database, schools: int = 2_832) -> None:
    """Writes the library's rows. The words are drawn, so they say nothing of any lesson."""
    entries: list[dict[str, object]] = []
    start = datetime(2024, 9, 1, tzinfo=UTC)
    for key in range(1, LESSONS + PACKAGES + 1):
        kind = "lesson" if key <= LESSONS else "package"
        moment = start + timedelta(minutes=RNG.randint(0, 800 * 24 * 60))
        points = RNG.sample(TOPICS, RNG.randint(1, 4))
        entries.append(
            {
                "key": key, "id": f"{kind}-{key}", "kind": kind, "lesson": f"plan-{key}",
                "source": "", "title": _title(), "subtitle": "", "points": points,
                "description": "".join(RNG.choices(WORDS + TOPICS, k=30)),
                "subject": RNG.choice(SUBJECTS), "grade": RNG.choice(GRADES),
                "edition": RNG.choice(EDITIONS), "lead_id": f"lead-{key % 3000}",
                "lead_name": f"示例老师{key % 3000}", "school_name": f"示例{key % schools}中",
                "visibility": RNG.choices(("private", "school", "city"), (1, 2, 7))[0],
                "taught_at": moment, "duration_s": 2400.0, "bytes": 400_000_000,
                "state": "ready", "has_cover": kind == "lesson", "plays": RNG.randint(0, 900),
                "keep_until": None, "created_at": moment, "updated_at": moment,
            }
        )  # fmt: skip
    school_of = [
        {"entry": e["key"], "school": f"school-{n}"}
        for e in entries
        for n in RNG.sample(range(schools), 3)
    ]
    members = [
        {"package": LESSONS + 1 + n, "entry": entry, "position": place}
        for n in range(PACKAGES)
        for place, entry in enumerate(RNG.sample(range(1, LESSONS + 1), 4))
    ]
    samples = [
        {
            "entry": 1 + n % LESSONS, "sha256": f"{n:064x}", "kind": "homework_sample",
            "title": f"作业样例 {n}", "media_type": "application/pdf", "bytes": 100_000,
            "added_at": start,
        }
        for n in range(SAMPLES)
    ]  # fmt: skip
    with database.session() as session:
        for table, rows in (
            (Entry, entries), (EntrySchool, school_of), (Member, members), (Attachment, samples),
        ):  # fmt: skip
            for at in range(0, len(rows), 5000):
                session.execute(insert(table), rows[at : at + 5000])
