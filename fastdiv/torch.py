"""Measures of PyTorch's tensors, which autograd differentiates: the extra ``fastdiv[torch]``.

Every function of ``fastdiv.grad`` is here under its own name and with its arguments; it returns the value, a
tensor. Arguments may be tensors on the CPU, read where they lie, or anything that fastdiv takes, which is
constant. Where no tensor requires a gradient, or under ``torch.no_grad()``, the value alone is computed, by
the function that users of NumPy call. Otherwise value and derivatives come from ``fastdiv.grad`` at once, in
the forward pass: a row whose value is not finite is refused there.

float32 stays float32, as in fastdiv: where all arrays are. A gradient has the shape and dtype of its tensor.
A row that the loss does not depend on has the gradient 0, even where its value's derivatives are infinite.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any, NamedTuple

import numpy as np

import fastdiv
from fastdiv import gan, grad
from fastdiv.grad._faces import ONLY

try:
    import torch
    from torch.autograd.forward_ad import unpack_dual
except ModuleNotFoundError as error:
    if error.name != "torch":
        raise
    raise ImportError("fastdiv.torch needs PyTorch: pip install 'fastdiv[torch]'", name="torch") from error

__all__ = [name for name in grad.__all__ if not isinstance(getattr(grad, name), type)]

REAL = (torch.float64, torch.float32)
WHOLE = frozenset(
    getattr(torch, name)
    for name in ("bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64")
)


def __getattr__(name: str) -> Callable[..., torch.Tensor]:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = face = _face(name)
    return face


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


def _face(name: str) -> Callable[..., torch.Tensor]:
    """The function of tensors that has the name of a function of arrays."""
    both = getattr(grad, name)
    measure = (
        getattr(fastdiv, name, None) or getattr(gan, name, None) or (lambda *x, **o: both(*x, **o).value)
    )
    parameters = signature(both).parameters.values()
    positional = [p.name for p in parameters if p.kind is Parameter.POSITIONAL_OR_KEYWORD]
    every = {p.name for p in parameters}

    def face(*args: Any, **options: Any) -> torch.Tensor:
        given = positional[: len(args)]
        if len(args) > len(given) or not options.keys() <= every or not options.keys().isdisjoint(given):
            return both(*args, **options)  # which raises: out= is told so, too
        tracked: dict[str, torch.Tensor] = {}
        arrays = [_array(x, n, tracked) for n, x in zip(given, args, strict=True)]
        chosen = {n: _array(x, n, tracked) for n, x in options.items()}
        if not tracked or not torch.is_grad_enabled():
            return _tensor(measure(*arrays, **chosen))
        return _Measure.apply(_Call(name, both, arrays, chosen), tuple(tracked), *tracked.values())

    face.__name__ = face.__qualname__ = name
    face.__module__ = __name__
    face.__doc__ = (
        f"The value of ``fastdiv.grad.{name}``, of the same arguments, for autograd to differentiate."
    )
    face.__signature__ = signature(both).replace(return_annotation="torch.Tensor")  # type: ignore[attr-defined]
    return face


def _array(x: Any, name: str, tracked: dict[str, torch.Tensor]) -> Any:
    """A view of the tensor, put among the `tracked` if it requires a gradient; what is no tensor as it is."""
    if not isinstance(x, torch.Tensor):
        if isinstance(x, (list, tuple)) and any(isinstance(y, torch.Tensor) for y in x):
            raise TypeError(
                f"{name} must be one tensor, not a {type(x).__name__} of them: pass torch.stack({name})"
            )
        return x
    if x.layout is not torch.strided:
        raise TypeError(f"{name} must be a dense tensor, not {x.layout}: pass {name}.to_dense()")
    if x.is_nested:
        raise TypeError(f"{name} must be a dense tensor, not a nested one: pass {name}.to_padded_tensor(0.0)")
    if x.device.type != "cpu":
        raise TypeError(f"{name} must be on the CPU, not on {x.device}: pass {name}.cpu()")
    if x.dtype not in REAL and x.dtype not in WHOLE:
        cast = f"{name}.real or {name}.abs()" if x.dtype.is_complex else f"{name}.float()"
        raise TypeError(f"{name} must be of float64, float32 or integers, not {x.dtype}: pass {cast}")
    if unpack_dual(x).tangent is not None:
        raise TypeError(f"{name} must have no tangent: fastdiv.torch differentiates backward only")
    if x.requires_grad:
        tracked[name] = x
    try:
        array = x.detach().resolve_neg().numpy()
    except RuntimeError as error:  # a wrapper of torch.func, of which NumPy could see no data
        raise TypeError(
            f"{name} must be a tensor with data of its own, not one of torch.func (vmap, grad, jacrev):"
            " fastdiv.torch takes whole batches, and is differentiated by autograd"
        ) from error
    return array if x.ndim else array[()]


def _tensor(array: Any) -> torch.Tensor:
    return torch.from_numpy(np.require(array, requirements="W"))


class _Call(NamedTuple):
    """What is computed."""

    name: str
    both: Callable[..., Any]
    arrays: list[Any]
    options: dict[str, Any]


class _Measure(torch.autograd.Function):  # type: ignore[misc]
    """A value, whose derivatives wait for the backward pass."""

    @staticmethod
    def forward(ctx: Any, call: _Call, names: tuple[str, ...], *tensors: torch.Tensor) -> torch.Tensor:
        wanted = [name for name, is_wanted in zip(names, ctx.needs_input_grad[2:], strict=True) if is_wanted]
        before = ONLY.set(wanted[0] if len(wanted) == 1 else None)
        try:
            result = call.both(*call.arrays, **call.options)
        finally:
            ONLY.reset(before)
        for name in names:
            if name not in result._fields[1:]:
                raise ValueError(
                    f"{name} must not require a gradient, as {call.name} has none by it: pass {name}.detach()"
                )
        ctx.call, ctx.tensors = call, tensors  # not saved: what is changed in place later has served
        ctx.save_for_backward(*(_tensor(getattr(result, name)) for name in names))
        return _tensor(result.value)

    @staticmethod
    def backward(ctx: Any, g: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        axis = ctx.call.options.get("axis", -1)
        wanted = ctx.needs_input_grad[2:]
        with torch.no_grad():
            slopes = [
                _pulled_back(g, slope, x, axis) if want else None
                for slope, x, want in zip(ctx.saved_tensors, ctx.tensors, wanted, strict=True)
            ]
        if torch.is_grad_enabled():  # somebody means to differentiate once more
            try:
                g.detach().resolve_neg().numpy()
            except RuntimeError:  # one of a batch, whose graph ends with it: what is remembered would be lost
                raise RuntimeError(
                    "create_graph must be False with is_grads_batched or vectorize: fastdiv.torch has"
                    f" first derivatives only, {ctx.call.name} cannot be differentiated twice"
                ) from None
            some = _Last.apply(
                ctx.call.name, g, ctx.tensors, *ctx.tensors, *(s for s in slopes if s is not None)
            )
            found = iter(some)
            slopes = [None if s is None else next(found) for s in slopes]
        return None, None, *slopes


def _pulled_back(g: torch.Tensor, slope: torch.Tensor, x: torch.Tensor, axis: int) -> torch.Tensor:
    """sum g slope over the axes along which x was broadcast: the gradient by x, where g is that by the value.

    With `axis` moved last, the value has the axes of `slope` but for its last ones, or all of them.
    """
    slope, shape = slope.movedim(axis, -1), x.movedim(axis, -1).shape
    lost = slope.ndim - g.ndim
    g = g[(..., *[None] * lost)] if lost else g.movedim(axis, -1)
    product = g * slope
    if not slope.sum().isfinite():  # g may be a batch of torch.func, which has no one truth
        product = torch.where(g == 0, 0.0, product)  # not 0 inf = NaN
    return product.sum_to_size(shape).to(x.dtype).movedim(-1, axis)


class _Last(torch.autograd.Function):  # type: ignore[misc]
    """First derivatives: that they depend on the tensors is remembered, but not how."""

    @staticmethod
    def forward(
        ctx: Any, name: str, g: torch.Tensor, tensors: tuple[torch.Tensor, ...], *rest: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        ctx.name = name
        return tuple(x.clone() for x in rest[len(tensors) :])

    @staticmethod
    def backward(ctx: Any, *slopes: torch.Tensor) -> None:
        raise RuntimeError(
            f"fastdiv.torch has first derivatives only: {ctx.name} cannot be differentiated twice"
        )
