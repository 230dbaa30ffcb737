"""Refusals of seals, releases and secure proxies.

Row: code, reason class, HTTP status, runbook, message zh, message en, remedy zh, remedy en.
"""

from __future__ import annotations

from typing import Final

_SEAL = "seal-not-usable"
_CANARY = "seal-canary-failed"
_RELEASE = "release-upgrade"
_PROXY = "secure-proxy-trouble"

# fmt: off
ROWS: Final[tuple[tuple[str, str, int, str, str, str, str, str], ...]] = (
    # --- seals: who may carry one, and the two persons
    ("seal_other_province", "data", 422, _SEAL,
     "税控服务器在地区 {region}, 不能办理地区 {area_code} 的印章",
     "The tax server belongs to {region} and cannot carry the seal of {area_code}",
     "选该省的税控服务器", "Choose a tax server of that province"),
    ("seal_exists", "data", 409, _SEAL,
     "该税控服务器在地区 {area_code} 已有印章, 状态 {state}",
     "This tax server has a seal of {area_code} already, in state {state}",
     "使用已有的印章; 要换则对使用中的印章申请更换", "Use that one; to change it, request its replacement"),
    ("seal_server_not_ready", "device", 409, _SEAL,
     "税控服务器不在可用状态: {state}", "The tax server is not in service: {state}",
     "先完成税控服务器的发行与制证", "Finish commissioning and certifying the tax server first"),
    ("seal_request_open", "data", 409, _SEAL,
     "{name} 已提出请求, 待他人复核", "{name} has asked already; a second person has to approve",
     "由另一人批准, 或撤回后重新提出", "Have another person approve it, or withdraw it first"),
    ("seal_request_missing", "data", 409, _SEAL,
     "没有待复核的请求", "There is no request to approve",
     "先由一人提出更换或停用", "One person has to request a replacement or revocation first"),
    ("seal_request_expired", "data", 409, _SEAL,
     "请求已超过 {minutes} 分钟, 失效", "The request is older than {minutes} minutes and has lapsed",
     "重新提出, 并在时限内由另一人批准", "Ask again, and have another person approve it in time"),
    ("seal_same_person", "data", 409, _SEAL,
     "更换和停用印章须两人: 提出人不能自己批准", "Two persons change a seal: who asked cannot approve",
     "由另一人批准", "Have another person approve it"),
    ("seal_not_a_person", "data", 403, _SEAL,
     "更换和停用印章只能由人提出和批准", "Only people may ask for and approve changes of a seal",
     "以个人账号登录后操作", "Sign in with a personal account"),
    ("seal_successor_exists", "data", 409, _SEAL,
     "更换已在办理: 新印章状态 {state}", "A replacement is under way: the new seal is in state {state}",
     "办完或放弃新印章", "Finish or abandon the new seal"),
    # --- seals: what the canary found, as kept with the seal
    ("seal_algorithm_unknown", "device", 409, _CANARY,
     "不认识的签名算法 {algorithm}", "The signature algorithm {algorithm} is not known",
     "核对设备版本; 旧印章继续使用", "Check the device's release; the old seal stays in use"),
    ("seal_key_differs", "device", 409, _CANARY,
     "试签所用公钥与获取的签名公钥不一致", "The canary was signed under another key than the one fetched",
     "不要使用该印章, 重新办理", "Do not use this seal; go through the steps again"),
    ("seal_digest_differs", "device", 409, _CANARY,
     "试签的摘要与文件不符", "The digest told does not belong to the canary document",
     "重试一次, 仍失败则重新办理", "Try once more; if it fails again, go through the steps again"),
    ("seal_signature_wrong", "device", 409, _CANARY,
     "试签的签名验证失败", "The signature of the canary does not verify",
     "不要使用该印章, 重新办理", "Do not use this seal; go through the steps again"),
    ("seal_application_refused", "bureau", 409, _SEAL,
     "税局退回印章申请: {message}", "The bureau refused the application: {message}",
     "按税局意见改正后重新申请", "Correct what the bureau names and apply again"),
    ("seal_expired", "limit", 409, _SEAL,
     "印章已于 {not_after} 到期", "The seal ended on {not_after}",
     "重新申请印章", "Apply for a new seal"),
    # --- releases
    ("release_unknown", "data", 422, _RELEASE,
     "没有 {product} 的版本 {version}", "No release {version} of {product} is known",
     "先做新版本查询", "Check for new releases first"),
    ("release_older", "data", 409, _RELEASE,
     "版本 {version} 比运行中的 {running} 旧", "Release {version} is older than {running}, which runs",
     "只能升级到更新的版本", "Only newer releases can be installed"),
    ("release_runs", "data", 409, _RELEASE,
     "版本 {version} 已在运行", "Release {version} runs already",
     "无需升级", "Nothing to do"),
    ("release_server_not_ready", "device", 409, _RELEASE,
     "税控服务器不在可升级的状态: {state}", "The tax server is in state {state} and cannot be upgraded",
     "完成发行与制证", "Finish commissioning and certifying it"),
    ("release_uploads_waiting", "stock", 409, _RELEASE,
     "还有 {count} 张发票未上传", "{count} invoices are not uploaded yet",
     "等全部上传后再升级", "Upgrade when all are uploaded"),
    ("release_jobs_open", "device", 409, _RELEASE,
     "该税控服务器有 {count} 个未完成的作业", "{count} jobs are still open on this tax server",
     "停用后等作业结束再升级", "Suspend it and wait until they have settled"),
    ("release_frozen", "limit", 409, _RELEASE,
     "征期冻结: {due} 前不升级", "Upgrades are frozen until the filing deadline {due}",
     "截止日期后再升级; 确有必要由管理员写明原因强制升级",
     "Upgrade after the deadline; an administrator may override with a reason"),
    # --- secure proxies
    ("proxy_exists", "data", 409, _PROXY,
     "该税控服务器已有安全代理 {name}", "This tax server has the secure proxy {name} already",
     "修改已有的安全代理", "Change that one"),
    ("proxy_missing", "data", 409, _PROXY,
     "该税控服务器没有安全代理", "This tax server has no secure proxy",
     "先登记安全代理", "Register its secure proxy first"),
    ("proxy_no_addresses", "data", 409, _PROXY,
     "没有启用的局端地址可推送", "There is no enabled bureau address to push",
     "先启用局端地址", "Enable bureau addresses first"),
    ("proxy_vip_incomplete", "data", 422, _PROXY,
     "VIP 地址和端口须同时填写", "VIP host and port belong together",
     "两项都填, 或都不填", "Give both or neither"),
    ("proxy_stopped", "device", 409, _PROXY,
     "安全代理没有运行", "The secure proxy is not running",
     "在该机器上启动安全代理", "Start it on its machine"),
    ("proxy_connections_full", "device", 409, _PROXY,
     "安全代理连接已满: {connections} / {most}",
     "All connections of the secure proxy are taken: {connections} / {most}",
     "提高最大连接数并更新配置", "Raise the maximum and push the configuration"),
    ("proxy_differs", "device", 409, _PROXY,
     "安全代理的设置与登记不一致: {names}", "The proxy's settings differ from ours: {names}",
     "做更新配置", "Push the configuration"),
)
# fmt: on
