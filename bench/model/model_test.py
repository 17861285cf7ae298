#!/usr/bin/env python3
"""The model's arithmetic, with figures that can be checked by hand."""

import unittest

import model
from model import Costs, Machine, capacity, evenness, split_path

COSTS = Costs(handshake_both_ns=4000, echo_both_ns=500, message_in_ns=200, message_out_ns=100, handshake_packets=3,
              echo_packets=1)
BOUNDLESS = Machine(link_gbit=1e9, packets_m=1e9, memory_gbyte=1e9)


class Model(unittest.TestCase):
    def test_cores_add_up(self):
        for cores in (1, 2, 64):
            rates = capacity(COSTS, cores, BOUNDLESS)
            self.assertAlmostEqual(rates["handshakes"][0], cores * 500_000)
            self.assertAlmostEqual(rates["messages in"][0], cores * 5_000_000)
            self.assertAlmostEqual(rates["messages out"][0], cores * 10_000_000)
            self.assertAlmostEqual(rates["echoes"][0], cores * 1e9 / 300)
            self.assertEqual({bound for _, bound in rates.values()}, {"cores"})

    def test_the_table_is_dealt_out_whole(self):
        self.assertEqual(evenness(1, 128), 1)
        self.assertEqual(evenness(128, 128), 1)
        self.assertAlmostEqual(evenness(96, 128), 128 / 2 / 96)  # some cores have two entries, the others one
        self.assertAlmostEqual(evenness(256, 128), 0.5)          # half of them have none

    def test_the_nic_bounds_what_the_cores_could_do(self):
        packets = capacity(COSTS, 64, Machine(link_gbit=1e9, packets_m=30, memory_gbyte=1e9))
        self.assertEqual(packets["handshakes"], (10_000_000, "packets"))
        self.assertEqual(packets["echoes"], (30_000_000, "packets"))
        link = capacity(COSTS, 64, Machine(link_gbit=10, packets_m=1e9, memory_gbyte=1e9))
        self.assertEqual(link["echoes"][1], "link")
        self.assertAlmostEqual(link["echoes"][0], 10e9 / 8 / (66 + 24 + 38))
        memory = capacity(COSTS, 64, Machine(link_gbit=1e9, packets_m=1e9, memory_gbyte=7.68, lines=12))
        self.assertEqual(memory["echoes"], (10_000_000, "memory"))

    def test_the_steps_of_a_message_are_all_counted_once(self):
        row = {step: 1 for step in model.STEPS_IN} | {step: 10 for step in model.STEPS_OUT} | {"cpu_time": 1000}
        self.assertEqual(split_path(row), (7, 40))

    def test_the_report_names_bounds_and_assumptions(self):
        text = model.report(COSTS, [1, 64], Machine(packets_m=30))
        self.assertIn("| 1 | 500k | 5M | 10M | 3.33M |".replace("500k", "0.5M"), text)
        self.assertIn("30M (packets)", text)
        self.assertIn("Assumed, and not measured", text)


if __name__ == "__main__":
    unittest.main()
