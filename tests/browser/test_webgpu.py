"""The models' graphs on a GPU, with nothing left to the processor.

The GPU is emulated: too slow for the real networks, so these have the same layers in small. It has no float16; one that
has is given by `DEMIXER_GPU` (docs/gpu).
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pytest
from playwright.sync_api import Page

from demixer.graphs.htdemucs.forms import FORMS
from demixer.graphs.htdemucs.network import build as build_htdemucs
from demixer.graphs.htdemucs.weights import Array
from demixer.graphs.onnx_writer import Model, Value
from demixer.graphs.spleeter import build as build_spleeter
from tests.browser.engines import Engine
from tests.parity.songs import snr
from tests.reduced import feeds, natively, reduced, reduced_unet, written

#: Frames and bins, which six layers halve to two and four.
SMALL: Final = (128, 256)

#: Opens a graph where no operator may be left to the processor, and runs it once.
RUN: Final = """async ([model, feeds]) => {
  const ort = await import("/vendor/onnxruntime-web/ort.webgpu.min.mjs");
  ort.env.logLevel = "error";
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const session = await ort.InferenceSession.create(bytes(model), {
    executionProviders: ["webgpu"],
    extra: { session: { disable_cpu_ep_fallback: "1" } },
  });
  const tensor = ({ dims, data }) => new ort.Tensor("float32", new Float32Array(bytes(data).buffer), dims);
  const inputs = Object.fromEntries(Object.entries(feeds).map(([name, array]) => [name, tensor(array)]));
  try {
    const outputs = await session.run(inputs);
    return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, Array.from(data)]));
  } finally {
    await session.release();
  }
}"""


def spleeter(*, half: bool) -> Model:
    model = build_spleeter([reduced_unet(1), reduced_unet(2)], half=half)
    return replace(model, inputs=list(map(small, model.inputs)), outputs=list(map(small, model.outputs)))


def small(value: Value) -> Value:
    """An input or output of a shorter segment with fewer bins: its convolutions take any size."""
    return replace(value, shape=(*value.shape[:-2], *SMALL))


def spleeter_feeds() -> dict[str, Array]:
    return {"magnitude": np.random.default_rng(9).random((1, 2, *SMALL), np.float32)}


Make = Callable[[], Model]


@pytest.mark.parametrize(
    ("model", "exact", "given", "least"),
    [
        pytest.param(lambda: htdemucs("fp32"), lambda: htdemucs("fp32"), feeds, 80, id="htdemucs-fp32"),
        pytest.param(lambda: htdemucs("fp16"), lambda: htdemucs("fp32"), feeds, 40, id="htdemucs-fp16"),
        pytest.param(lambda: spleeter(half=True), lambda: spleeter(half=True), spleeter_feeds, 80, id="spleeter"),
    ],
)
def test_a_gpu_computes_the_whole_network(
    gpu_page: Page, model: Make, exact: Make, given: Callable[[], dict[str, Array]], least: float
) -> None:
    engine = Engine(gpu_page)
    engine.call("start", {"device": "wasm"})  # its worker may run WebGPU as well
    if least == 40 and not has_half(engine):
        pytest.skip("the GPU has no float16: DEMIXER_GPU names a browser with one that has")
    found = engine.worker().evaluate(RUN, [encoded(written(model())), packed(given())])
    for name, expected in natively(exact(), given()).items():
        assert snr(expected.ravel(), np.array(found[name], np.float32)) >= least


def htdemucs(precision: Any) -> Model:
    return build_htdemucs(reduced(), FORMS[precision])


def has_half(engine: Engine) -> bool:
    script = "async () => (await import('/src/engine/devices/candidates.js')).findAdapter(true)"
    return bool(engine.worker().evaluate(script)["half"])


def packed(feeds: dict[str, Array]) -> dict[str, Any]:
    return {name: {"dims": array.shape, "data": encoded(array.tobytes())} for name, array in feeds.items()}


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()
