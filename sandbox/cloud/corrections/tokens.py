"""Client tokens: a call that is sent again changes nothing, and gets the first call's answer."""

from moto.ec2.exceptions import EC2ClientError

# RunInstances has a memory of its own (launches.py): its answer shows the instances as they are by then.
OPERATIONS = ("CreateLaunchTemplate", "CreateLaunchTemplateVersion", "CreateVolume")

Answer = tuple[str, list[tuple[str, str]], bytes]

_answers: dict[tuple[str, str], tuple[dict[str, str], Answer]] = {}


class IdempotentParameterMismatch(EC2ClientError):
    code = "IdempotentParameterMismatch"

    def __init__(self) -> None:
        super().__init__(self.code, "The client token was used with other parameters before.")


def known(operation: str, parameters: dict[str, str]) -> Answer | None:
    """The answer to the same call before; of a call with the same token and other parameters: the error.
    https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
    """
    before = _answers.get((operation, parameters.get("ClientToken", "")))
    if before is None or operation not in OPERATIONS:
        return None
    if before[0] == parameters:
        return before[1]
    body = (
        "<Response><Errors><Error><Code>IdempotentParameterMismatch</Code>"
        f"<Message>{IdempotentParameterMismatch().message}</Message></Error></Errors>"
        "<RequestID>repeated</RequestID></Response>"
    ).encode()
    return "400 Bad Request", [("Content-Type", "text/xml"), ("Content-Length", str(len(body)))], body


def remember(operation: str, parameters: dict[str, str], answer: Answer) -> None:
    if operation in OPERATIONS and parameters.get("ClientToken") and answer[0].startswith("200"):
        _answers[(operation, parameters["ClientToken"])] = (parameters, answer)


def reset() -> None:
    _answers.clear()
