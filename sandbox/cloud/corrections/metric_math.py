"""Metric math: arithmetic, comparisons and a few functions.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import ast
import operator
from collections.abc import Callable
from typing import Any

from moto.cloudwatch.exceptions import ValidationError

Series = dict[float, float]
Value = float | Series

_OPERATORS: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}

_OVER_TIME: dict[str, Callable[[list[float]], float]] = {
    "SUM": sum,
    "MIN": min,
    "MAX": max,
    "AVG": lambda values: sum(values) / len(values),
}


def evaluate(expression: str, series: dict[str, Series]) -> Series:
    try:
        value = _value(ast.parse(expression.strip().replace("^", "**"), mode="eval").body, series)
    except SyntaxError as error:
        raise ValidationError(f"Error in expression: {error.msg}") from error
    if not isinstance(value, dict):
        raise ValidationError("Error in expression: it must be a time series.")
    return value


def _value(node: Any, series: dict[str, Series]) -> Value:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name) if name in series:
            return series[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _each(operator.sub, 0.0, _value(operand, series))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _each(_OPERATORS[type(op)], _value(left, series), _value(right, series))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPERATORS:
            return _each(_OPERATORS[type(op)], _value(left, series), _value(right, series))
        case ast.Call(func=ast.Name(id="FILL"), args=[what, with_]):
            return _fill(_value(what, series), _value(with_, series), series)
        case ast.Call(func=ast.Name(id=name), args=[what]) if name in _OVER_TIME:
            # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html: a scalar of a series
            values = _value(what, series)
            return _OVER_TIME[name](list(values.values())) if isinstance(values, dict) and values else 0.0
        case ast.Call(func=ast.Name(id="IF"), args=[condition, then, *otherwise]):
            return _if(*(_value(each, series) for each in (condition, then, *otherwise)))
    raise ValidationError(f"Error in expression: the sandbox does not know `{ast.unparse(node)}`.")


def _each(apply: Callable[[float, float], float], left: Value, right: Value) -> Value:
    """Between series only where both have a value; what is divided by zero has none."""
    if not isinstance(left, dict) and not isinstance(right, dict):
        return float(apply(left, right))
    times = set(left if isinstance(left, dict) else right) & set(right if isinstance(right, dict) else left)
    result: Series = {}
    for time in times:
        try:
            result[time] = float(apply(_at(left, time), _at(right, time)))
        except ZeroDivisionError:
            continue
    return result


def _fill(value: Value, filling: Value, series: dict[str, Series]) -> Value:
    if not isinstance(value, dict):
        return value
    times = {time for each in series.values() for time in each}
    return {time: value[time] if time in value else _at(filling, time) for time in times}


def _if(condition: Value, then: Value, otherwise: Value | None = None) -> Series:
    if not isinstance(condition, dict):
        raise ValidationError("Error in expression: the condition of IF must be a time series.")
    chosen = {time: then if met else otherwise for time, met in condition.items()}
    return {
        time: _at(value, time)
        for time, value in chosen.items()
        if value is not None and (not isinstance(value, dict) or time in value)
    }


def _at(value: Value, time: float) -> float:
    return value[time] if isinstance(value, dict) else value
