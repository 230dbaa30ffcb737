"""Refusals of people. Row: code, reason class, HTTP status, runbook, message zh, message en, remedy zh, remedy en."""

from __future__ import annotations

from typing import Final

_PEOPLE = "people"
_STOP = "emergency-stop"

# fmt: off
ROWS: Final[tuple[tuple[str, str, int, str, str, str, str, str], ...]] = (
    ("scope_not_clear", "data", 422, _PEOPLE,
     "须写明范围: 纳税人或地区, 或者明确不限范围, 二者只取其一",
     "Say the scope: taxpayers or regions, or everything in so many words, and not both",
     "填写 taxpayers、regions 之一或两者, 或 everything = true",
     "Fill in taxpayers and/or regions, or everything = true"),
    ("only_for_people", "data", 409, _PEOPLE,
     "{name} 是程序, 没有口令, 角色不变", "{name} is a program: it has no password and keeps its role",
     "为它发放或吊销令牌", "Give it a token, or revoke one"),
    ("only_for_programs", "data", 409, _PEOPLE,
     "{name} 是人员, 用口令登录, 不发放令牌", "{name} is a person, who signs in with a password and gets no token",
     "登记一个业务前端, 为它发放令牌", "Register a front end and give the token to it"),
    ("not_your_own", "data", 409, _PEOPLE,
     "{name} 不能更改自己的角色或范围", "{name} cannot change their own role or scope",
     "请另一位管理员更改", "Ask another administrator"),
    ("last_admin", "data", 409, _PEOPLE,
     "{name} 是最后一位不限范围的管理员", "{name} is the last administrator of full scope",
     "先登记并启用另一位管理员", "Register another administrator first"),
    ("no_token_left", "data", 409, _PEOPLE,
     "{name} 没有有效的令牌", "{name} has no valid token",
     "无需处理", "Nothing to do"),
    ("no_password", "data", 409, _PEOPLE,
     "{name} 是程序, 没有口令", "{name} is a program and has no password",
     "请管理员发放新令牌", "Ask an administrator for a new token"),
    ("password_must_change", "data", 403, _PEOPLE,
     "口令是别人给的, 须先改成自己的", "The password was given by somebody else: change it first",
     "POST /v1/me/password, 或用 taxplane --user 重新登录",
     "POST /v1/me/password, or sign in anew with taxplane --user"),
    ("password_wrong", "data", 422, _PEOPLE,
     "当前口令不对", "The current password is wrong",
     "检查后重试", "Check it and try again"),
    ("password_weak", "data", 422, _PEOPLE,
     "新口令太弱: 至少 {least} 个字符, 不重复单调, 不含用户名, 与原口令不同",
     "The new password is too weak: at least {least} characters, not monotonous, without the name, not the old one",
     "换一个更长的口令", "Choose a longer one"),
    ("emergency_stop", "device", 409, _STOP,
     "{target} 已被 {actor} 于 {at} 紧急停止开票: {reason} (停止单 {stop_id})",
     "{target} was stopped by {actor} at {at}: {reason} (stop {stop_id})",
     "停止原因消除后, 在紧急停止列表中恢复; 等待的发票随即开出",
     "Resume it in the list of emergency stops once its reason is gone; what waits is issued at once"),
    ("already_stopped", "data", 409, _STOP,
     "{target} 已处于紧急停止 (停止单 {stop_id})", "{target} is stopped already (stop {stop_id})",
     "查看该停止单", "Look at that stop"),
)
# fmt: on
