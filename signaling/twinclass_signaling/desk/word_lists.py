"""The words and shapes that ``words`` looks for. Every repetition is bounded: time is linear.

Patterns are built of lists of words in which a space separates, so that whoever adds a word need
not read the expression. ``PATTERNS`` are for the text as typed, ``TIGHT_PATTERNS`` for the text
without spaces and decoration.
"""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["phone", "contact", "email", "link", "money", "meeting"]
Patterns = tuple[tuple[Kind, re.Pattern[str]], ...]


def _any(words: str) -> str:
    """Returns an alternation of words; they may be expressions themselves."""
    return "(?:" + "|".join(words.split()) + ")"


#: Letters of other scripts that look like Latin ones; what NFKC does not make alike.
ALIKE: dict[str, str] = dict(
    zip("авекмнорстухіѕαβερτυνοχω", "abekmhopctyxisabeptuvoxw", strict=True)
)
#: Digits as words; 幺 and 洞 are how they are said on the telephone.
_WORD_DIGITS = {
    **dict(zip("零一二三四五六七八九", "0123456789", strict=True)),
    **dict(zip("〇壹贰叁肆伍陆柒捌玖", "0123456789", strict=True)),
    **dict(zip("幺两貳參陸洞", "122360", strict=True)),
}
DIGITS = {ord(word): digit for word, digit in _WORD_DIGITS.items()}
#: What is put between characters so that a word is not found. The dot is not in it: it makes
#: addresses, and decimals.
DECORATION = frozenset(" \t\n\u3000-_*~·•|/\\'\"`^,;!#$%&()[]{}<>“”‘’「」『』【】《》、,。…—")
#: Those who write to each other.
_US = _any("我 你 您 老师 咱")

# ---- telephone numbers --------------------------------------------------------------------

#: Digits, single ones of the marks that are put between them, and at most three at a time.
DIGIT_RUN = re.compile(r"\+?\d(?:[ \-._·—~]{0,3}\d){10,60}")
COUNTRY = re.compile(r"^(?:\+86|0086)[ \-]?")
MOBILE = re.compile(r"^1[3-9]\d{9}$")
#: How eleven digits are grouped when they are a telephone number.
SHAPES = frozenset({(11,), (3, 4, 4), (4, 4, 3), (3, 3, 5), (4, 3, 4), (3, 8), (5, 6), (7, 4)})
_OPERATOR = r"[+*/×÷=≈<>≤≥^%:∶−-]"
OPERATOR_AFTER = re.compile(rf"\s{{0,3}}{_OPERATOR}\s{{0,3}}[\d(（a-z]")
OPERATOR_BEFORE = re.compile(rf"[\d)）a-z]\s{{0,3}}{_OPERATOR}\s{{0,3}}$")
UNIT_AFTER = re.compile(
    r"\s?"
    + _any(
        "千米 公里 厘米 毫米 分米 米 吨 千克 公斤 克 元 人 个 年 秒 分钟 小时 度 平方 立方 升 毫升 "
        r"焦 瓦 伏 帕 牛 光年 亿 万 km kg cm mm hz pa mol m\b g\b s\b j\b w\b n\b"
    )
)
#: Whoever calls or adds somebody is not doing sums.
CALLING = re.compile(
    _any(
        r"打(?:给|我|这|电话|\s?\d) 电话 手机 号码 联系 加我 加下 加一下 微信 短信 "
        "call phone mobile textme whatsapp"
    )
)

# ---- as typed -----------------------------------------------------------------------------

_ID = r"[a-z0-9][a-z0-9_.\-]{4,20}"
_TLD = _any(
    "com cn net org edu gov top xyz vip cc io info app link shop site club online live icu ltd "
    "wang fun pro tv co ly gg"
)
_MAILBOX = r"[a-z0-9][a-z0-9._%+\-]{0,40}"
_HOST = r"[a-z0-9][a-z0-9\-]{1,40}"
_DOT = r"(?:点|\(dot\)|\[dot\]|\bdot\b)"
_AT = r"(?:\(at\)|\[at\]|\bat\b|艾特|圈a|#)"
_YOURS = _any("phone number wechat whatsapp qq instagram insta email e-mail address")
PATTERNS: Patterns = (
    ("email", re.compile(rf"{_MAILBOX}\s?@\s?[a-z0-9\-]{{1,30}}\s?(?:\.|点|dot)")),
    (
        "email",
        re.compile(rf"{_MAILBOX}\s?{_AT}\s?[a-z0-9\-]{{1,30}}\s?(?:\.|{_DOT})\s?{_TLD}"),
    ),
    ("email", re.compile(_any("qq 163 126 gmail outlook foxmail hotmail") + r"\s?邮箱")),
    ("email", re.compile(r"邮箱(?:是|号|[::])")),
    ("link", re.compile(r"h\s?t\s?t\s?p\s?s?\s?[::]\s?/\s?/|www\s?(?:\.|点|dot)")),
    ("link", re.compile(rf"(?<![a-z0-9.]){_HOST}\.{_TLD}(?![a-z0-9(=+])")),
    ("link", re.compile(rf"{_HOST}\s{{0,2}}{_DOT}\s{{0,2}}{_TLD}(?![a-z0-9])")),
    (
        "link",
        re.compile("复制" + _any("这段 此 链接 口令") + "|点(?:这个|击)?链接|链接发(?:你|给)"),
    ),
    ("link", re.compile("扫(?:码|这个码|我的?码)")),
    (
        "contact",
        re.compile(
            r"(?<![a-z])"
            + _any("vx wx weixin wechat qq q号 whatsapp telegram insta skype discord")
            + rf"\s?(?:id|号|是|is|群)?\s?[::=]?\s?(?:{_ID}|\d{{5,12}})"
        ),
    ),
    (
        "contact",
        re.compile(
            r"(?<![a-z])(?:tel|phone|mobile|line|tg|ins)\s?(?:no\.?|id|is)?\s?[:=]?\s?\d{5,12}"
        ),
    ),
    ("contact", re.compile(r"(?<![a-z])(?:add me on|dm me|my phone number|text me (?:at|on))")),
    ("contact", re.compile(r"(?<![a-z])(?:call|ring|message) me (?:at|on) \+?\d{5}")),
    (
        "contact",
        re.compile(
            r"(?<![a-z])my (?:wechat|whatsapp|qq|number|insta(?:gram)?|snap(?:chat)?|"
            r"discord|e-?mail) (?:is|:|number)"
        ),
    ),
    ("contact", re.compile(rf"(?<![a-z])(?:what(?:'s| is)|give me|tell me) your {_YOURS}")),
    ("contact", re.compile(r"(?<![a-z])find me on (?:wechat|tiktok|insta|discord|qq)")),
    (
        "money",
        re.compile(
            r"(?<![a-z])(?:pay (?:you|me) |send (?:you|me) (?:money|cash|\$|a red packet)|"
            r"(?:paypal|venmo|cash ?app|alipay)\b|red packet for you|transfer (?:you|me) |"
            r"i(?:'ll| will| can) pay\b|give you (?:money|cash))"
        ),
    ),
    (
        "meeting",
        re.compile(
            r"(?<![a-z])(?:meet (?:me|up) (?:at|after|outside|in person)|where do you live|"
            r"come to my (?:home|house|place)|what(?:'s| is) your home address)"
        ),
    ),
)

# ---- without decoration -------------------------------------------------------------------

_APP = _any(
    "微信 威信 薇信 徽信 v信 微心 卫星号 vx wx weixin wechat qq 扣扣 企鹅号? 钉钉 抖音 快手 "
    "小红书 b站 微博 飞信 陌陌 soul telegram whatsapp 飞机号"
)
_PHONE = _any("电话 手机号码 手机号 手机 号码 联系方式")
_NUMBER = _any("号 群号 账号 帐号")
#: 加v in all its forms, but not the sum of u and v.
_ADD_V = (
    r"(?<![a-z0-9)²³的速方再])(?:加|\+|\u2795)(?:我|个|下|一下|你|您|老师)?(?:的)?v"
    r"(?![a-z0-9₀-₉²³=+*/×÷]|的|等|是多|再|得|减|乘|除|方)"
)
TIGHT_PATTERNS: Patterns = (
    (
        "contact",
        re.compile(
            r"(?:加|\+|\u2795|家|佳|换|留|互|给|发|扫|要|有没有|有)"
            r"(?:个|一下|下|我|你|您|老师|的|咱|他|她){0,3}"
            + _APP
            + "(?!支付|公众号|步数|付款|收款|钱包|群里|群发)"
        ),
    ),
    (
        "contact",
        re.compile(rf"{_US}(?:的|们的)?{_APP}(?:号|群)?(?:是|[::]|多少|给|发|几|(?=[a-z0-9]))"),
    ),
    (
        "contact",
        re.compile(
            rf"{_APP}{_NUMBER}?(?:[::=是]|联系|私聊|聊|找我|搜|上说|上聊|发我|发你)|{_APP}{_NUMBER}"
            rf"|{_APP}加(?:我|你|您|老师|个)"
        ),
    ),
    ("contact", re.compile(_ADD_V)),
    ("contact", re.compile(r"加(?:我|个|下|一下|你|您|老师){1,2}(?:v|薇|威|微|扣|q)(?![a-z]?=)")),
    ("contact", re.compile(r"(?:扣扣|企鹅|球球|扣)(?:号|[::])?\d{5,12}|(?<![a-z])q[::号]\d{5,12}")),
    (
        "contact",
        re.compile(rf"(?:{_US}|他|她)的?{_PHONE}(?:号|号码)?(?:是|[::]|多少|给|发|几|能|可以)"),
    ),
    (
        "contact",
        re.compile(
            "(?:留|给|要|发|告诉|换|交换|加|问)(?:个|一下|下|我|你|您|老师|一个|的){0,3}"
            + _any("电话 手机号 联系方式 号码 qq号 微信号")
        ),
    ),
    ("contact", re.compile("加(?:个|一下|下|我|你|您|为|成)?(?:好友|私聊|我好友)")),
    (
        "contact",
        re.compile(
            _any(
                "私聊 私信我 拉你进群 进我群 进我们群 加群 入群 群号 打我电话 发短信给我 联系我 "
                "联系方式"
            )
            + f"|打电话给{_US}|给{_US}打电话"
        ),
    ),
    ("contact", re.compile(_any("私下联系 平台外 课后联系 直接找我 找我补课 找我辅导"))),
    (
        "email",
        re.compile(
            rf"发(?:到|我|给我)?(?:我的|你的|您的)?(?:邮箱|e-?mail)|{_US}的?(?:邮箱|e-?mail)"
        ),
    ),
    (
        "meeting",
        re.compile(
            _any("线下 放学 放学后 周末 校门口 学校门口") + _any("见面 见个面 碰面 等你 等我 找你")
        ),
    ),
    ("meeting", re.compile("(?:见面|见个面)(?:吧|聊|说|教|讲)|出来(?:见|玩)")),
    (
        "meeting",
        re.compile("(?:你|您|老师)家(?:住|在)(?:哪|什么|几)|(?:你|您)住(?:哪|在哪|什么地方)"),
    ),
    (
        "meeting",
        re.compile(rf"(?:来|去){_US}家(?:里)?" + _any("补 学 教 辅导 玩 上课 找")),
    ),
    ("meeting", re.compile("(?:你|您|老师)的?(?:住址|地址|家庭住址)|我家(?:住在|地址)")),
)

# ---- money --------------------------------------------------------------------------------

_SUM = _any(r"红包 钱 现金 \d{1,5}块 \d{1,5}元 课时费 费用 报酬 好处 辛苦费")
MONEY = re.compile(
    "|".join(
        (
            rf"(?:给|发|转|打|付|送|赏|塞)(?:点|个|一个|些)?{_US}"
            rf"(?:点|个|一个|些|一点|发|转|打|的){{0,2}}{_SUM}",
            "(?:红包|钱|现金|辛苦费|课时费|费用)(?:发|转|打|付|给|微信|支付宝)(?:给)?"
            "(?:你|您|老师|我|过去|过来)",
            rf"转账(?:给|到)?{_US}|(?:给|向|跟){_US}(?:微信|支付宝)?转账",
            r"转(?:你|您|给你|给您|给老师|我)(?:微信|支付宝|钱|\d)",
            "私下(?:转账|付钱|给钱|付费|收费|补课|辅导|交易)",
            "(?:可以|能|要|我|给你|给您)加钱",
            "(?:收|发)(?:下|我的?|一下)?(?:红包|转账)(?:吧|哦|啊|了)",
            r"(?:补课|辅导|一小时|一节课|一次|一个小时)(?:要|收)?(?:多少钱|怎么收费|收费|\d{1,4}块)",
            "(?:你|您|老师)(?:怎么|咋|如何)?收(?:费|多少|钱)",
            "收款码|付款码|银行卡号|支付宝(?:号|账号|帐号|[::])|代写作业",
            "(?:给钱|付费|有偿|花钱)(?:帮|代|做|写|辅导|补课)|打赏(?:你|您|老师|我)",
            "(?:红包|转账)(?:可以吗|行吗|好不好|要吗|要不要)|^发?红包$",
        )
    )
)
#: A giver in a story problem, or a supposition: the money is not between those who write.
STORY_BEFORE = 8
STORY = re.compile(
    _any(
        "爷爷 奶奶 爸爸 妈妈 外公 外婆 姥姥 姥爷 叔叔 阿姨 姑姑 舅舅 姐姐 哥哥 如果 "
        "假如 假设 若 公司 银行"
    )
    + r"|商店|店家|老板|顾客|小[\u4e00-\u9fff]|[甲乙丙丁某]"
)
