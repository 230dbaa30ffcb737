"""x"""
from tests.controlplane.operations.scene import *
import time
def test_it(scene, agent):
    t=time.monotonic()
    owner = scene.taxpayer()
    server = scene.server(agent)
    paper = scene.ready(agent, owner, server)
    print(time.monotonic()-t)
    i, state = scene.request(body(owner, "r1"))
    assert state == "waiting"
    agent.work_off()
    assert scene.invoice(i)["state"] == "issued"
    print(time.monotonic()-t, scene.stock(scene.id_of(paper)))
