"""``fastdiv.torch``: values and gradients against fastdiv's own, in graphs as PyTorch's users build them.

Run by ``make test-torch``, in an environment that has PyTorch.
"""

import inspect

import numpy as np
import pytest

import fastdiv
import fastdiv.gan
import fastdiv.grad

torch = pytest.importorskip("torch")
import fastdiv.torch as ft  # noqa: E402

DOUBLE = torch.float64
# transport: what else is given, and the shapes of what is differentiated; all others are measures of rows
CALLS = {
    "entropy": ({}, [(3, 5)]),
    "renyi_divergence": ({"alpha": 1.7}, [(3, 5), (5,)]),
    "softmax_cross_entropy": ({"labels": [4, 0, 2]}, [(3, 5)]),
    "minimax_value": ({}, [(3, 5), (5,)]),
}
OF_SAMPLES = ("wasserstein_distance", "energy_distance", "cramer_distance")
CALLS |= dict.fromkeys(OF_SAMPLES, ({}, [(3, 5), (4,)]))
CALLS["wasserstein_circle"] = ({"period": 3.0}, [(5,), (4,)])
CALLS["sliced_wasserstein"] = ({"seed": 1, "n_projections": 7}, [(6, 2), (5, 2)])
CALLS["wasserstein_hist"] = ({"support": [0.0, 1.0, 2.5, 3.0, 7.0]}, [(3, 5), (5,)])
OF_ROWS = [n for n in ft.__all__ if CALLS.get(n, ({}, [(3, 5)]))[1][0] == (3, 5) and n not in OF_SAMPLES]
PAIRED = [n for n in OF_ROWS if n not in CALLS]


def tensors(name, dtype=DOUBLE, grad=True):
    generator = torch.Generator().manual_seed(sum(map(ord, name)))
    shapes = CALLS.get(name, ({}, [(3, 5), (5,)]))[1]
    return [
        torch.rand(s, generator=generator, dtype=DOUBLE).add(0.1).to(dtype).requires_grad_(grad)
        for s in shapes
    ]


def options(name):
    return CALLS.get(name, ({}, ()))[0]


def measure(name):
    """What gives NumPy's users the value."""
    if name == "softmax_cross_entropy":
        return lambda *x, **given: fastdiv.grad.softmax_cross_entropy(*x, **given).value
    return getattr(fastdiv, name, None) or getattr(fastdiv.gan, name)


def arrays(given):
    return [x.detach().numpy() for x in given]


def test_the_names_are_those_of_the_gradients():
    functions = [n for n in fastdiv.grad.__all__ if not inspect.isclass(getattr(fastdiv.grad, n))]
    assert sorted(ft.__all__) == sorted(functions)
    assert set(ft.__all__) <= set(dir(ft))
    assert "kl_divergence" in ft.__all__
    with pytest.raises(AttributeError, match="no attribute 'wasserstein'"):
        _ = ft.wasserstein


@pytest.mark.parametrize("name", ft.__all__)
def test_signature(name):
    mine, theirs = (inspect.signature(getattr(m, name)).parameters for m in (ft, fastdiv.grad))
    assert list(mine) == list(theirs)
    assert name in getattr(ft, name).__doc__


@pytest.mark.parametrize("name", ft.__all__)
def test_gradcheck(name):
    function = getattr(ft, name)
    assert torch.autograd.gradcheck(lambda *x: function(*x, **options(name)), tensors(name))


@pytest.mark.parametrize("name", ft.__all__)
def test_gradcheck_in_a_chain(name):
    function = getattr(ft, name)

    def chain(*x):
        return function(*(y.exp() for y in x), **options(name)).square().sum()

    assert torch.autograd.gradcheck(chain, tensors(name))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("name", ft.__all__)
def test_the_bits_are_those_of_fastdiv(name, dtype):
    x = tensors(name, dtype)
    truth = getattr(fastdiv.grad, name)(*arrays(x), **options(name))
    got = getattr(ft, name)(*x, **options(name))
    assert np.array_equal(got.detach().numpy(), truth.value)
    assert got.detach().numpy().dtype == np.asarray(truth.value).dtype
    got.sum().backward()
    for y, slope in zip(x, truth[1:], strict=False):
        assert y.grad.dtype == dtype
        assert y.grad.shape == y.shape
        if slope.shape == y.shape:
            assert np.array_equal(y.grad.numpy(), slope)
    plain = getattr(ft, name)(*(y.detach() for y in x), **options(name))
    assert not plain.requires_grad
    assert np.array_equal(plain.numpy(), measure(name)(*arrays(x), **options(name)))
    with torch.no_grad():
        assert torch.equal(getattr(ft, name)(*x, **options(name)), plain)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [0, 1, -1, -2])
@pytest.mark.parametrize("name", PAIRED)
def test_axes_and_broadcasting(name, axis, keepdims):
    p = torch.rand(4, 4, 4, dtype=DOUBLE, requires_grad=True)
    q = torch.rand([1 if i == (axis + 1) % 3 else 4 for i in range(3)], dtype=DOUBLE, requires_grad=True)
    g = torch.rand([1 if i == axis % 3 else 4 for i in range(3)], dtype=DOUBLE)
    value = getattr(ft, name)(p, q, axis=axis, keepdims=keepdims)
    value.backward(g if keepdims else g.squeeze(axis))
    truth = getattr(fastdiv.grad, name)(*arrays([p, q]), axis=axis)
    np.testing.assert_allclose(p.grad, g.numpy() * truth.p, rtol=1e-15)
    np.testing.assert_allclose(
        q.grad, (g.numpy() * truth.q).sum((axis + 1) % 3, keepdims=True), rtol=1e-12, atol=1e-15
    )


def test_one_row_against_many_along_another_axis():
    p = torch.rand(5, 3, dtype=DOUBLE, requires_grad=True)
    q = torch.rand(5, dtype=DOUBLE, requires_grad=True)
    assert torch.autograd.gradcheck(lambda p, q: ft.kl_divergence(p, q, axis=0), (p, q))
    assert torch.autograd.gradcheck(lambda z: ft.softmax_cross_entropy(z, [1, 4, 0], axis=0), (p,))


@pytest.mark.parametrize("name", ["js_divergence", "js_distance"])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_stacks(name, axis, keepdims):
    stack = torch.rand(3, 4, 2, dtype=DOUBLE).add(0.1).requires_grad_()
    weights = torch.tensor([1.0, 2.0, 3.0, 4.0][: stack.movedim(axis, -1).shape[-2]])
    assert torch.autograd.gradcheck(
        lambda s: getattr(ft, name)(s, weights=weights, axis=axis, keepdims=keepdims), (stack,)
    )


@pytest.mark.parametrize("name", OF_SAMPLES)
def test_weights_of_samples(name):
    u, v, a, b = (torch.rand(s, dtype=DOUBLE).add(0.1).requires_grad_() for s in (5, 4, 5, 4))
    assert torch.autograd.gradcheck(lambda *x: getattr(ft, name)(*x), (u, v, a, b))
    assert torch.autograd.gradcheck(lambda a: getattr(ft, name)(u, v.detach(), v_weights=a), (b,))


@pytest.mark.parametrize("name", PAIRED)
def test_only_what_requires_a_gradient_gets_one(name):
    p, q = tensors(name, grad=False)
    for constant in (q, q.numpy(), q.tolist(), q.float()):
        x = p.clone().requires_grad_()
        getattr(ft, name)(x, constant).sum().backward()
        truth = getattr(fastdiv.grad, name)(p.numpy(), np.asarray(constant))
        assert np.array_equal(x.grad.numpy(), truth.p)
    assert q.grad is None
    single = p.float().requires_grad_()
    value = getattr(ft, name)(single, q)
    assert value.dtype == DOUBLE  # as in fastdiv: float32 where all are
    value.sum().backward()
    assert single.grad.dtype == torch.float32
    a, b = p.clone().requires_grad_(), q.clone().requires_grad_()
    (one,) = torch.autograd.grad(getattr(ft, name)(a, b).sum(), [b])
    assert one.shape == b.shape


def test_layouts_and_integers():
    wide = torch.rand(6, 20, dtype=DOUBLE)
    q = wide[::2, 1::2].requires_grad_()
    counts = torch.randint(1, 9, (10, 3)).T
    value = ft.kl_divergence(counts, q)
    truth = fastdiv.grad.kl_divergence(counts.numpy(), q.detach().numpy())
    assert np.array_equal(value.detach().numpy(), truth.value)
    value.sum().backward()
    assert np.array_equal(q.grad.numpy(), truth.q)
    assert torch.autograd.gradcheck(lambda q: ft.kl_divergence(counts.T, q.T, axis=0), (q,))
    negative = torch.complex(torch.zeros(4), torch.arange(-4.0, 0.0)).conj().imag
    assert ft.entropy(negative).item() == fastdiv.entropy(np.array([4, 3, 2, 1], np.float32))


def test_soft_labels_against_logits_are_torchs_cross_entropy():
    z = torch.randn(8, 10, dtype=DOUBLE, requires_grad=True)
    p = torch.rand(8, 10, dtype=DOUBLE).softmax(-1)
    ours = torch.autograd.grad(ft.cross_entropy(p, z, log_input="q").mean(), z)[0]
    theirs = torch.autograd.grad(torch.nn.functional.cross_entropy(z, p), z)[0]
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-15)
    labels = torch.arange(8)
    ours = torch.autograd.grad(ft.softmax_cross_entropy(z, labels).mean(), z)[0]
    theirs = torch.autograd.grad(torch.nn.functional.cross_entropy(z, labels), z)[0]
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-15)


def test_chain_with_log_softmax():
    z, t = torch.randn(4, 6, dtype=DOUBLE, requires_grad=True), torch.randn(4, 6, dtype=DOUBLE)
    ours = ft.kl_divergence(t, z.log_softmax(-1), log_input=True).sum()
    theirs = torch.nn.functional.kl_div(
        z.log_softmax(-1), t.log_softmax(-1), reduction="sum", log_target=True
    )
    a, b = (torch.autograd.grad(x, z)[0] for x in (ours, theirs))
    torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_network_learns(dtype):
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(200, 4, generator=generator, dtype=dtype)
    labels = x[:, :3].argmax(-1)
    model = torch.nn.Linear(4, 3, dtype=dtype)
    with torch.no_grad():
        model.weight.zero_()
        model.bias.zero_()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.2)
    losses = []
    for _ in range(50):
        optimiser.zero_grad()
        loss = ft.softmax_cross_entropy(model(x), labels).mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert loss.dtype == dtype
    assert losses[0] == pytest.approx(np.log(3), rel=1e-6)
    assert losses[-1] < 0.3


def test_a_sample_is_carried_home():
    z = torch.tensor([0.0, 0.1, 0.2], dtype=DOUBLE, requires_grad=True)
    optimiser = torch.optim.SGD([z], lr=0.3)
    for _ in range(200):
        optimiser.zero_grad()
        ft.wasserstein_distance(z, [5.0, 6.0, 9.0], p=2).square().backward()
        optimiser.step()
    torch.testing.assert_close(z.detach().sort().values, torch.tensor([5.0, 6.0, 9.0], dtype=DOUBLE))


def test_backward_twice_and_what_is_changed_in_place():
    p, q = tensors("kl_divergence")
    x = p * 1.0
    value = ft.kl_divergence(x, q).sum()
    with torch.no_grad():
        x.zero_()  # the derivatives are known by now
    value.backward(retain_graph=True)
    first = p.grad.clone()
    value.backward()
    assert torch.equal(p.grad, 2 * first)
    with pytest.raises(RuntimeError, match="second time"):
        value.backward()


@pytest.mark.parametrize("name", ft.__all__)
def test_no_second_derivatives(name):
    leaves = tensors(name)
    x = [y.square() for y in leaves]  # whose own second derivative is not taken for the whole
    slopes = torch.autograd.grad(getattr(ft, name)(*x, **options(name)).sum(), leaves, create_graph=True)
    with pytest.raises(RuntimeError, match=f"first derivatives only: {name} cannot be differentiated twice"):
        sum(s.sum() for s in slopes).backward()


def test_second_derivatives_of_others_in_the_graph():
    z = torch.rand(4, dtype=DOUBLE, requires_grad=True)
    other = torch.rand(4, dtype=DOUBLE, requires_grad=True)
    loss = ft.entropy(z) + other.pow(3).sum()
    dz, slope = torch.autograd.grad(loss, [z, other], create_graph=True)
    np.testing.assert_array_equal(dz.detach(), fastdiv.grad.entropy(z.detach().numpy()).p)
    slope.sum().backward()
    torch.testing.assert_close(other.grad, 6 * other.detach())


def test_infinite_slopes_of_rows_that_do_not_count():
    p = torch.tensor([[1.0, 0.0], [1.0, 1.0]], dtype=DOUBLE, requires_grad=True)
    value = ft.entropy(p)
    value[1].backward(retain_graph=True)
    assert p.grad.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    value.sum().backward()
    assert p.grad[0, 1] == float("inf")


def test_a_row_without_a_gradient():
    p, q = torch.tensor([[1.0, 1.0], [1.0, 2.0]]), torch.tensor([[1.0, 1.0], [1.0, 0.0]])
    assert ft.kl_divergence(p, q).tolist() == [0.0, float("inf")]
    with pytest.raises(ValueError, match="kl_divergence is inf in row 1, where it has no gradient"):
        ft.kl_divergence(p.requires_grad_(), q)


BAD = {
    "q must be on the CPU, not on meta: pass q.cpu()": lambda q: q.to("meta"),
    "q must be a dense tensor, not torch.sparse_coo: pass q.to_dense()": lambda q: q.to_sparse(),
    "q must be of float64, float32 or integers, not torch.float16: pass q.float()": lambda q: q.half(),
    "q must be of float64, float32 or integers, not torch.bfloat16: pass q.float()": lambda q: q.bfloat16(),
    "q must be of float64, float32 or integers, not torch.complex128: pass q.real or q.abs()": lambda q: (
        q * 1j
    ),
    "q must be one tensor, not a list of them: pass torch.stack(q)": lambda q: [q, q],
}


@pytest.mark.parametrize("words", BAD)
def test_tensors_that_are_refused(words):
    p, q = tensors("kl_divergence", grad=False)
    for grad in (False, True):
        with pytest.raises(TypeError) as caught:
            ft.kl_divergence(p.requires_grad_(grad), BAD[words](q))
        assert str(caught.value) == words


def test_arguments_that_are_refused():
    p, q = tensors("js_divergence")
    with pytest.raises(TypeError, match="unexpected keyword argument 'out'"):
        ft.js_divergence(p.detach(), q.detach(), out=np.empty(3))
    with pytest.raises(TypeError, match="unexpected keyword argument 'dim'"):
        ft.js_divergence(p, q, dim=0)
    with pytest.raises(TypeError, match="multiple values for argument 'p'"):
        ft.js_divergence(p, p=q)
    with pytest.raises(TypeError, match="3 were given"):
        ft.js_divergence(p, q, q)
    weights = torch.tensor([0.5, 0.5], requires_grad=True)
    with pytest.raises(ValueError, match=r"weights must not require a gradient, .*: pass weights.detach\(\)"):
        ft.js_divergence(p, q, weights=weights)
    with pytest.raises(TypeError, match="labels must be integers"):
        ft.softmax_cross_entropy(p, torch.ones(3, requires_grad=True))
    with pytest.raises(ValueError, match=r"labels\[1\] must be a class from 0 to 4, not 9"):
        ft.softmax_cross_entropy(p, torch.tensor([0, 9, 1]))
    with pytest.raises(ValueError, match="p has 5 bins but q has 4 bins"):
        ft.js_divergence(p, torch.rand(4))
    with pytest.raises(ValueError, match="p is 0-d"):
        ft.js_divergence(torch.tensor(1.0, requires_grad=True), q)


@pytest.mark.parametrize("name", PAIRED)
def test_the_one_gradient_that_is_needed(name):
    """The bits are the same where the other is not asked for."""
    both = tensors(name)
    getattr(ft, name)(*both, **options(name)).sum().backward()
    for side in (0, 1):
        alone = [x.detach().requires_grad_(i == side) for i, x in enumerate(both)]
        getattr(ft, name)(*alone, **options(name)).sum().backward()
        assert torch.equal(alone[side].grad, both[side].grad)
        assert alone[1 - side].grad is None
