"""The answers of a tax server that are not 0000, with the texts its operators know."""

from __future__ import annotations

TEXTS = {
    "0000": "成功",
    "0001": "处理中",
    "1000": "已受理，处理中",
    "1002": "票量为零",
    "1003": "当前票号获取异常",
    "2000": "该设备不支持此接口",
    "7503": "税控设备正在处理其他业务",
    "9001": "不存在",
    "9990": "流水号重复",
    "9998": "税控返回错误",
    "09c001": "设备未制证或证书已过期",
    "09d108": "发票代码号码非法",
    "09d109": "开票截止时间已到，请先抄报清零",
    "09d110": "票种不支持",
    "09d115": "超过单张开票限额",
    "09d116": "税率未授权",
    "09d11f": "离线开票时长超限",
    "09d120": "离线开票张数超限",
    "09d121": "离线开票累计金额超限",
    "09d122": "已到上传截止日期，有已开未上传发票",
    "09e105": "设备时钟错误",
    "092400": "命令或参数错误",
    "200001": "先决步骤未完成",
    "200002": "可发行虚拟设备数量不足",
    "200003": "设备不在该税控服务器上",
    "300001": "无法连接税局",
    "300002": "税局拒绝",
    "99800011": "时间差小于30分钟，不用校准",
}


class Refusal(Exception):
    """A call that had no effect, with the code it is answered by; ``detail`` follows the code's own text."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.message = f"{TEXTS[code]}: {detail}" if detail else TEXTS[code]
