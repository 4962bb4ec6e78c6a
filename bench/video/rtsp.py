#!/usr/bin/env python3
"""`effdet detect` on a real RTSP server: a stream to its end, one that stalls, one that vanishes, and none.

Usage: rtsp.py EFFDET MODEL VIDEO   (an H.264 file in MP4, of a few seconds)
Needs Debian's gir1.2-gst-rtsp-server-1.0, python3-gi, gstreamer1.0-plugins-good and gstreamer1.0-plugins-bad, so that it
runs by hand. Exit 1 where a run ends otherwise than docs/detect.md says.
"""
import os
import signal
import subprocess
import sys
import time

PORT = 18554
ADDRESS = f"rtsp://127.0.0.1:{PORT}/camera"


def serve(video):
    """The server's part of this script."""
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtspServer

    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_service(str(PORT))
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(f'( filesrc location="{video}" ! qtdemux ! h264parse ! rtph264pay name=pay0 pt=96 )')
    server.get_mount_points().add_factory("/camera", factory)
    server.attach(None)
    print("ready", flush=True)
    GLib.MainLoop().run()


def detect(program, model, *words):
    command = [program, "detect", ADDRESS, "--model-file", model, "--format", "jsonl", "--timeout", "3", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def check(name, run, code, least_frames):
    begin = time.monotonic()
    out, error = run.communicate(timeout=120)
    frames = len(out.splitlines())
    good = run.returncode == code and frames >= least_frames
    print(f"{name}: exit {run.returncode}, {frames} frames, {time.monotonic() - begin:.1f} s; {error.splitlines()[-1]}")
    return good


def main():
    program, model, video = sys.argv[1:]
    good = check("nothing listens", detect(program, model), 4, 0)
    with subprocess.Popen(["/usr/bin/python3", __file__, "--serve", video], stdout=subprocess.PIPE) as server:
        server.stdout.readline()
        try:
            good &= check("to its end", detect(program, model), 0, 20)
            good &= check("two seconds", detect(program, model, "--duration", "2"), 0, 10)
            run = detect(program, model)
            time.sleep(2.5)
            os.kill(server.pid, signal.SIGSTOP)
            good &= check("the server stalls", run, 4, 5)
            os.kill(server.pid, signal.SIGCONT)
            run = detect(program, model)
            time.sleep(2.5)
            server.kill()  # which FFmpeg does not tell from the stream's end
            good &= check("the server is killed", run, 0, 5)
        finally:
            server.kill()
    sys.exit(0 if good else 1)


if sys.argv[1] == "--serve":
    serve(sys.argv[2])
else:
    main()
