"""Threads, fork, and the end of the interpreter while a detector runs."""

import multiprocessing
import os
import pathlib
import subprocess
import sys
import threading
import time
import unittest

import numpy as np

import effdet_cpp

import common


def detect_in_child(queue):
    """In a process of its own, with a model of its own."""
    model = effdet_cpp.Model(common.CHECKPOINT, img_size=128, threads=1)
    queue.put(effdet_cpp.Detector(model, threads=1, score=0.0)(common.picture()).xyxy.copy())


class Processes(unittest.TestCase):
    def test_threads_share_a_detector(self):
        detector = common.detector()
        pictures = [common.picture(seed=i) for i in range(4)]
        expected = [detector(picture) for picture in pictures]
        wrong = []

        def work(i):
            for _ in range(5):
                if not common.same(detector(pictures[i]), expected[i]):
                    wrong.append(i)

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def test_other_threads_run_meanwhile(self):
        detector, big = common.detector(), common.picture(3000, 4000)
        counts, ends = [0], threading.Event()

        def count():
            while not ends.is_set():
                counts[0] += 1
                time.sleep(0.0005)

        thread = threading.Thread(target=count)
        thread.start()
        before = counts[0]
        detector(big)
        during = counts[0] - before
        ends.set()
        thread.join()
        self.assertGreater(during, 0)

    @unittest.skipUnless(hasattr(os, "fork"), "no fork")
    def test_after_fork_a_detector_refuses(self):
        detector, picture = common.detector(), common.picture()
        detector(picture)
        child = os.fork()
        if child == 0:
            try:
                detector(picture)
            except effdet_cpp.UsageError as error:
                os._exit(0 if "fork" in str(error) else 2)
            os._exit(1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)

    def test_a_forked_process_makes_its_own(self):
        expected = common.detector()(common.picture())
        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        process = context.Process(target=detect_in_child, args=(queue,))
        process.start()
        found = queue.get(timeout=60)
        process.join()
        self.assertEqual(process.exitcode, 0)
        np.testing.assert_array_equal(found, expected.xyxy)

    def expect_end(self, program, code):
        for _ in range(3):
            ended = subprocess.run([sys.executable, "-c", program], cwd=pathlib.Path(__file__).parent, timeout=60,
                                   stderr=subprocess.PIPE)
            self.assertEqual(ended.returncode, code, ended.stderr)

    def test_an_interrupt_ends_a_validation_with_an_exception(self):
        program = (
            "import pathlib, sys, tempfile, json, os, signal, threading, common, effdet_cpp\n"
            "folder = pathlib.Path(tempfile.mkdtemp())\n"
            "(folder / 'annotations').mkdir(); (folder / 'val2017').mkdir()\n"
            "images = [{'id': i, 'width': 120, 'height': 90, 'file_name': f'{i}.png'} for i in range(1, 301)]\n"
            "(folder / 'annotations/instances_val2017.json').write_text(json.dumps({'images': images, 'annotations': [],\n"
            "    'categories': [{'id': k, 'name': str(k)} for k in range(1, 7)]}))\n"
            "drawn = common.detector()(common.picture())[:0]\n"
            "for image in images: drawn.plot(common.picture(), path=folder / 'val2017' / image['file_name'])\n"
            "model = common.model()\n"
            "threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
            "try: effdet_cpp.validate(model, folder, threads=1)\n"
            "except KeyboardInterrupt: sys.exit(7)\n"
        )
        self.expect_end(program, 7)

    def test_the_interpreter_may_end_during_a_run(self):
        program = (
            "import threading, time, common\n"
            "detector, picture = common.detector(), common.picture()\n"
            "def work():\n"
            "    while True: detector(picture)\n"
            "threading.Thread(target=work, daemon=True).start()\n"
            "time.sleep(0.2)\n"
        )
        self.expect_end(program, 0)


if __name__ == "__main__":
    unittest.main()
