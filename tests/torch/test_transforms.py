"""``fastdiv.torch`` under what PyTorch does to functions: refused in a sentence, or right."""

import inspect
import subprocess
import sys

import numpy as np
import pytest

import fastdiv.grad

torch = pytest.importorskip("torch")
import fastdiv.torch as ft  # noqa: E402

DOUBLE = torch.float64


def pair(grad=False):
    generator = torch.Generator().manual_seed(5)
    return [
        torch.rand(3, 5, generator=generator, dtype=DOUBLE).add(0.1).requires_grad_(grad) for _ in range(2)
    ]


OTHER = pair()[1].numpy()


def value(p):
    return ft.kl_divergence(p, OTHER).sum()


@pytest.mark.filterwarnings("ignore:.*torch.jit.script.* is deprecated:DeprecationWarning")
@pytest.mark.parametrize("grad", [False, True])
@pytest.mark.parametrize(
    "traced",
    [
        lambda p: torch.func.vmap(ft.entropy)(p),
        lambda p: torch.func.vmap(ft.kl_divergence, in_dims=(0, None))(p, pair()[1][0]),
        lambda p: torch.func.grad(value)(p),
        lambda p: torch.func.jacrev(value)(p),
        lambda p: torch.func.hessian(value)(p),
    ],
    ids=["vmap", "vmap against one", "grad", "jacrev", "hessian"],
)
def test_functions_of_functions_are_refused(traced, grad):
    with pytest.raises(TypeError, match="p must be a tensor with data of its own, not one of torch"):
        traced(pair(grad)[0])


@pytest.mark.filterwarnings("ignore:.*torch.jit.script.* is deprecated:DeprecationWarning")
@pytest.mark.parametrize("grad", [False, True])
def test_a_tangent_is_not_lost(grad):
    p, q = pair(grad)
    for place in range(2):
        with torch.autograd.forward_ad.dual_level():
            given = [p, q]
            given[place] = torch.autograd.forward_ad.make_dual(given[place], torch.ones_like(p))
            with pytest.raises(TypeError, match=f"{'pq'[place]} must have no tangent: .* backward only"):
                ft.kl_divergence(*given)
    with torch.autograd.forward_ad.dual_level():
        assert ft.kl_divergence(p, q).shape == (3,)  # those of others are no business of ours
    jacobian = torch.autograd.functional.jacobian
    with pytest.raises(TypeError, match="p must "):
        jacobian(lambda p: ft.kl_divergence(p, q), p, vectorize=True, strategy="forward-mode")


def test_gradients_of_many_losses_at_once():
    p, q = pair(True)
    every = torch.autograd.grad(ft.kl_divergence(p, q), p, torch.eye(3, dtype=DOUBLE), is_grads_batched=True)
    truth = fastdiv.grad.kl_divergence(p.detach().numpy(), q.detach().numpy()).p
    for i, one in enumerate(every[0].numpy()):
        np.testing.assert_array_equal(one[i], truth[i])
        assert not one[np.arange(3) != i].any()
    assert torch.autograd.gradcheck(ft.js_divergence, (p, q), check_batched_grad=True)
    jacobian = torch.autograd.functional.jacobian
    with pytest.raises(RuntimeError, match=r"create_graph must be False .* kl_divergence cannot be"):
        jacobian(lambda p: ft.kl_divergence(p, OTHER), p, vectorize=True, create_graph=True)
    zero = torch.tensor([[1.0, 0.0], [1.0, 1.0]], dtype=DOUBLE, requires_grad=True)
    (slopes,) = torch.autograd.grad(ft.entropy(zero), zero, torch.eye(2, dtype=DOUBLE), is_grads_batched=True)
    assert slopes[1].tolist() == [[0.0, 0.0], [0.0, 0.0]]  # the infinite one is of the other loss
    assert slopes[0, 0, 1] == float("inf")


OPTIONS = {"log_input": True, "normalize": False, "base": 2, "axis": 0, "keepdims": True, "pseudocount": 0.5}
TAKEN = [
    (name, option)
    for name in ft.__all__
    for option in OPTIONS
    if option in inspect.signature(getattr(ft, name)).parameters
    and (name, option) != ("wasserstein_hist", "normalize")  # masses would have to agree
]


@pytest.mark.parametrize(("name", "option"), TAKEN)
def test_gradcheck_of_every_option(name, option):
    measure, chosen = getattr(ft, name), {option: OPTIONS[option]}
    if name == "softmax_cross_entropy":
        chosen["labels"] = [1, 0, 2, 2, 0] if option == "axis" else [1, 0, 4]
    if name == "renyi_divergence":
        chosen["alpha"] = 0.3
    named = inspect.signature(measure).parameters.values()
    count = sum(p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD for p in named) - len(
        chosen.keys() & {"labels", "alpha"}
    )
    z = [(torch.arange(15, dtype=DOUBLE).square() * s).sin().reshape(3, 5) for s in (1, -0.7)][:count]
    x = [(y if option == "log_input" else y.exp()).requires_grad_() for y in z]
    assert torch.autograd.gradcheck(lambda *x: measure(*x, **chosen), x)


@pytest.mark.parametrize("measure", ["js_divergence", "js_distance"])
def test_gradcheck_of_weights_of_the_mixture(measure):
    x = pair(True)
    assert torch.autograd.gradcheck(lambda *x: getattr(ft, measure)(*x, weights=[0.3, 0.7]), x)


@pytest.mark.parametrize(
    "given", [{"support": [0.0, 1.5, 2.0, 7.0, 3.0]}, {"bin_edges": [0.0, 1, 3, 4, 6, 7]}]
)
def test_gradcheck_of_histograms_on_a_line(given):
    for p in (1, 2, 3.5):
        assert torch.autograd.gradcheck(lambda *x, p=p: ft.wasserstein_hist(*x, p=p, **given), pair(True))


def test_discriminators_that_are_given():
    p, q = pair(True)
    d = torch.rand(3, 5, dtype=DOUBLE).mul(0.8).add(0.1).requires_grad_()
    for loss in (ft.minimax_value, ft.saturating_loss, ft.non_saturating_loss):
        assert torch.autograd.gradcheck(loss, (p, q, d))
        assert torch.autograd.gradcheck(lambda d, loss=loss: loss(p.detach(), q.detach(), d), (d,))


@pytest.mark.parametrize("name", ["wasserstein_distance", "energy_distance", "cramer_distance"])
@pytest.mark.parametrize("axis", [-1, 0])
def test_gradcheck_of_weights_of_batches(name, axis):
    generator = torch.Generator().manual_seed(8)
    shapes = [(3, 5), (2, 1, 4), (5,), (3, 4)]
    x = [torch.rand(s, generator=generator, dtype=DOUBLE).add(0.1) for s in shapes]
    x = [(y.movedim(-1, 0) if axis == 0 else y).clone().requires_grad_() for y in x]
    orders = (1, 2, 3.5) if name == "wasserstein_distance" else (None,)
    for p in orders:
        given = {"axis": axis} if p is None else {"axis": axis, "p": p}
        assert torch.autograd.gradcheck(lambda *x, given=given: getattr(ft, name)(*x, **given), x)


@pytest.mark.parametrize("p", [1, 2])
def test_gradcheck_of_weights_on_circles_and_of_points(p):
    generator = torch.Generator().manual_seed(9)
    u, v, a, b = (torch.rand(n, generator=generator, dtype=DOUBLE).add(0.1) for n in (5, 4, 5, 4))
    x = [y.requires_grad_() for y in (u * 3, v * 3, a, b)]
    assert torch.autograd.gradcheck(lambda *x: ft.wasserstein_circle(*x, period=2.5, p=p), x)
    X, Y = (torch.rand(n, 2, generator=generator, dtype=DOUBLE).requires_grad_() for n in (5, 4))
    slices = {"n_projections": 9, "seed": 3, "p": p}
    assert torch.autograd.gradcheck(lambda *x: ft.sliced_wasserstein(*x, **slices), (X, Y, a, b))


def test_rows_none_expanded_or_one_against_many():
    none = torch.rand(0, 5, dtype=DOUBLE, requires_grad=True)
    q = torch.rand(5, dtype=DOUBLE, requires_grad=True)
    ft.kl_divergence(none, q).sum().backward()
    assert none.grad.shape == (0, 5)
    assert q.grad.tolist() == [0.0] * 5
    p, _ = pair()
    ft.kl_divergence(p, q.expand(3, 5)).sum().backward()
    one = q.detach()[None].requires_grad_()
    ft.kl_divergence(p, one).sum().backward()
    truth = fastdiv.grad.kl_divergence(p.numpy(), q.detach().numpy()).q.sum(0)
    np.testing.assert_allclose(q.grad, truth, rtol=1e-12)
    np.testing.assert_allclose(one.grad[0], truth, rtol=1e-12)
    with pytest.raises(ValueError, match="p has no bins"):
        ft.entropy(torch.rand(3, 0, requires_grad=True))


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
def test_tensors_in_lists_and_nested_ones():
    x = torch.tensor(2.0, requires_grad=True)
    for given in ([x, 1.0], [1.0, x], (1.0, x.detach())):
        with pytest.raises(TypeError, match=r"of them: pass torch.stack\(p\)"):
            ft.entropy(given)
    nested = torch.nested.nested_tensor([torch.rand(3), torch.rand(2)])
    with pytest.raises(TypeError, match=r"p must be a dense tensor, .*nested"):
        ft.entropy(nested)


@pytest.mark.filterwarnings("ignore")
def test_compiled_functions_give_the_same_bits():
    p, q = pair(True)

    def loss(p, q):
        return ft.js_divergence(p.exp(), q.exp()).mean() * 2

    found = []
    for function in (loss, torch.compile(loss, backend="eager")):
        y = function(p, q)
        found.append([y, *torch.autograd.grad(y, [p, q])])
    assert all(map(torch.equal, *found))


def test_fastdiv_alone_does_not_import_torch():
    program = "import sys, fastdiv, fastdiv.grad, fastdiv.gan; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
