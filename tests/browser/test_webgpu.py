"""HT-Demucs' graphs for GPUs, on an emulated one: too slow for the real network, so one of the same layers in small."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from models.htdemucs.graph.form import FORMS
from models.htdemucs.graph.network import write
from models.htdemucs.graph.weights import Array
from tests.browser.engines import Engine
from tests.parity.songs import snr
from tests.reduced import SIZE, Reduced, feeds, natively

#: Opens a graph where no operator may be left to the processor, and runs it once.
RUN = """async ([model, feeds]) => {
  const ort = await import("/vendor/onnxruntime-web/ort.webgpu.min.mjs");
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const session = await ort.InferenceSession.create(bytes(model), {
    executionProviders: ["webgpu"],
    extra: { session: { disable_cpu_ep_fallback: "1" } },
  });
  const tensor = ({ dims, data }) => new ort.Tensor("float32", new Float32Array(bytes(data).buffer), dims);
  const inputs = Object.fromEntries(Object.entries(feeds).map(([name, array]) => [name, tensor(array)]));
  const outputs = await session.run(inputs);
  return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, Array.from(data)]));
}"""


@pytest.mark.slow
def test_a_gpu_computes_the_whole_network(gpu_page: Page) -> None:
    model = write(Reduced(), FORMS["fp32"], SIZE)
    given = feeds()
    engine = Engine(gpu_page)
    engine.call("start", {"device": "webgpu", "allowSoftwareAdapter": True})
    found = engine.worker().evaluate(RUN, [encoded(model.SerializeToString()), packed(given)])
    for name, expected in natively(model, given).items():
        assert snr(expected.ravel(), np.array(found[name], np.float32)) >= 70


def packed(feeds: dict[str, Array]) -> dict[str, Any]:
    return {name: {"dims": array.shape, "data": encoded(array.tobytes())} for name, array in feeds.items()}


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()
