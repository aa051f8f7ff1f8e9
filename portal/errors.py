"""What the desk answers instead of a page. Messages are for officers, in Chinese, and name no person."""

from __future__ import annotations


class DeskError(Exception):
    status = 500
    title = "出错了"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotFound(DeskError):
    """Unknown, or not in the viewer's place: the two are one."""

    status = 404
    title = "没有找到"

    def __init__(self, message: str = "这个编号不存在，或者不在您的管辖范围内。") -> None:
        super().__init__(message)


class Forbidden(DeskError):
    status = 403
    title = "没有权限"

    def __init__(self, message: str = "您的角色不能进行这项操作。") -> None:
        super().__init__(message)


class Refused(DeskError):
    """The step is not possible, or a field is not as wanted."""

    status = 422
    title = "未能办理"


class SignedOut(DeskError):
    """A form arrives after its session ended; nothing was written."""

    status = 401
    title = "登录已失效"

    def __init__(
        self, message: str = "您已退出登录，或者太久没有操作。请先把内容复制下来，重新登录后再提交。"
    ) -> None:
        super().__init__(message)


class Busy(DeskError):
    """The database had another writer for too long; nothing was written."""

    status = 503
    title = "暂时不能保存"

    def __init__(
        self, message: str = "正在载入新的核对结果。您的内容没有保存，请先复制下来，过几分钟再提交。"
    ) -> None:
        super().__init__(message)


class Conflict(DeskError):
    """Somebody else changed the case after this page was opened; nothing was written."""

    status = 409
    title = "已被他人更新"

    def __init__(
        self,
        message: str = "您打开页面之后，这件事已有新的办理记录。您的内容没有保存，请核对最新情况后再提交。",
    ) -> None:
        super().__init__(message)


class TooMany(DeskError):
    status = 429
    title = "操作过于频繁"


class TooLarge(DeskError):
    status = 413
    title = "文件过大"
