"""``dreamer video``."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dreamer import images, videos
from dreamer.cli import run
from dreamer.filming import shots

QUICK = ["--octaves", "1", "--steps", "4", "--objective", "first"]


@pytest.fixture
def network(tiny_file):
    """The options that name a tiny network."""
    return ["--model", tiny_file, *QUICK]


@pytest.fixture(autouse=True)
def here(tmp_path, samples, monkeypatch):
    """A folder with ten numbered frames of a pan, and no more."""
    monkeypatch.chdir(tmp_path)
    photo = Image.open(samples / "cat.png").convert("RGB")
    Path("frames").mkdir()
    for number in range(10):
        photo.crop((20 + number, 60, 84 + number, 105)).save(f"frames/{number:04d}.png")
    return tmp_path


@pytest.fixture
def clip(here):
    """The same as a clip without loss, with a second of noise that begins in its middle."""
    av = pytest.importorskip("av")
    with av.open("clip.mkv", "w") as out:
        stream = out.add_stream("ffv1", rate=10)
        stream.height, stream.width, stream.pix_fmt = 45, 64, "bgr0"
        heard = out.add_stream("pcm_s16le", rate=22050, layout="mono")
        for path in sorted(Path("frames").iterdir()):
            out.mux(stream.encode(av.VideoFrame.from_image(Image.open(path)).reformat(format="bgr0", threads=1)))
        out.mux(stream.encode())
        noise = np.random.default_rng(0).normal(0, 3000, (1, 22050)) * (np.arange(22050) > 11025)
        samples = av.AudioFrame.from_ndarray(noise.astype(np.int16), "s16", "mono")
        samples.sample_rate, samples.pts = 22050, 0
        out.mux(heard.encode(samples))
        out.mux(heard.encode())
    return "clip.mkv"


def names():
    return sorted(path.name for path in Path().iterdir())


def frames(path):
    with videos.open_video(Path(path)) as video:
        return [(float(frame.pts * video.time_base), frame.pixels) for frame in video.frames()]


def answer(capfd):
    (item,) = json.loads(capfd.readouterr().out)["items"]
    return item


def test_a_clip_is_dreamt_beside_it(clip, network, capfd):
    assert run(["video", clip, *network, "--codec", "ffv1"]) == 0
    out, err = capfd.readouterr()
    assert out == "clip-dream.mkv\n"
    assert "frame 10 of 10" in err
    assert names() == ["clip-dream.mkv", "clip.mkv", "frames"]
    assert len(frames("clip-dream.mkv")) == 10
    assert run(["video", clip, *network, "-q"]) == 0
    assert capfd.readouterr() == ("", "")
    assert Path("clip-dream-2.mkv").exists()


def test_json_says_all_of_it(clip, network, capfd):
    assert run(["video", clip, *network, "-o", "out.mkv", "--json"]) == 0
    item = answer(capfd)
    recipe = item.pop("recipe")
    assert 0 < item.pop("flicker") < 0.01
    assert isinstance(item.pop("notes"), list)
    assert item == {
        "video": "clip.mkv", "path": "out.mkv", "sheet": None, "width": 64, "height": 45, "frames": 10, "planned": 10,
        "partial": False,
    }  # fmt: skip
    assert recipe["command"] == "video"
    assert recipe == json.loads(json.dumps(dict(videos.read_recipe(Path("out.mkv")))))


def test_a_preview_is_a_sheet_and_a_short_piece(clip, network, monkeypatch, capfd):
    monkeypatch.setattr("dreamer.filming.preview.SIDE", 40)
    given = ["video", clip, *network, "--preview", "--codec", "ffv1"]
    assert run(given) == 0
    assert capfd.readouterr().out == "clip-preview.png\nclip-preview.mkv\n"
    assert images.read(Path("clip-preview.png")).pixels.shape[1] > 3 * 40
    piece = frames("clip-preview.mkv")
    assert len(piece) == 10
    assert piece[0][1].shape == (28, 40, 3)
    assert images.read_recipe(Path("clip-preview.png"))["preview"] is True
    assert run([*given, "--json"]) == 0
    item = answer(capfd)
    assert (item["sheet"], item["path"]) == ("clip-preview-2.png", "clip-preview-2.mkv")


@pytest.mark.parametrize("name", ["out.webm", "out.gif", "out.apng", "out.mp4"])
def test_every_kind_is_written_and_read_again(network, name, capfd):
    assert run(["video", "frames/%04d.png", *network, "--frame-rate", "10", "-o", name]) == 0
    assert [time for time, _ in frames(name)] == pytest.approx([number / 10 for number in range(10)], abs=0.01)
    assert run(["video", name, *network, "--to", "0.2s"]) == 0
    made = capfd.readouterr().out.splitlines()[-1]
    assert len(frames(made)) == 2


def test_a_piece(clip, network, capfd):
    assert run(["video", clip, *network, "--from", "300ms", "--to", "0:00.7", "--codec", "ffv1", "-o", "out.mkv"]) == 0
    assert [time for time, _ in frames("out.mkv")] == pytest.approx([0, 0.1, 0.2, 0.3], abs=0.001)
    recipe = videos.read_recipe(Path("out.mkv"))
    assert (recipe["video"]["start"], recipe["video"]["end"]) == (0.3, 0.7)


def test_looks_at_their_times(clip, network, capfd):
    given = [*network, "--codec", "ffv1", "--strength", "0", "--at", "0.5s", "1"]
    assert run(["video", clip, *given, "-o", "out.mkv"]) == 0
    before, after = frames(clip), frames("out.mkv")
    differences = [np.abs(one.astype(int) - other).mean() for (_, one), (_, other) in zip(before, after, strict=True)]
    assert differences[0] == 0
    assert all(later > earlier for earlier, later in pairwise(differences[:6]))
    assert differences[9] > 1


def test_sound_drives_the_strength(clip, network, capfd):
    assert run(["video", clip, *network, "--codec", "ffv1", "--listen", "strength=0..1", "-o", "out.mkv"]) == 0
    before, after = frames(clip), frames("out.mkv")
    differences = [np.abs(one.astype(int) - other).mean() for (_, one), (_, other) in zip(before, after, strict=True)]
    assert differences[2] == 0
    assert differences[8] > 1


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["--from", "soon"], 2, "is no time; expected seconds, as 3.5s"),
        (["--from", "3s", "--to", "2s"], 2, "is to end at 2 s, and starts at 3 s"),
        (["--at", "3s", "no-such-look"], 2, "no-such-look"),
        (["--at", "3s", "lace", "--at", "3s", "rope"], 2, "two looks are to hold at the same time"),
        (["--listen", "steps=1..2"], 2, "sound cannot drive 'steps'"),
        (["--listen", "strength=0..1"], 2, "has no sound to listen to"),
        (["--cuts", "often"], 2, "is no time"),
        (["--cuts", "9s"], 2, "no frame at the cut at 9 s"),
        (["--carry", "2"], 2, "--carry"),
        (["--quality", "101"], 2, "--quality"),
        (["--codec", "h263"], 2, "'h263' is no codec"),
        (["--from", "9s"], 2, "no frame from 9 s on"),
        (["-o", "-"], 2, "a video needs a file"),
        (["--layer", "block4b=0.5", "--layer", "block5c"], 2, "Type instead: --objective '0.5*block4b + block5c'"),
        (["-o", "out.avi"], 1, "names no video that is written"),
        (["-o", "frames/0000.png"], 1, "frames/0000.png"),
        (["--frames", "3"], 2, "frames"),
    ],
)
def test_what_is_impossible_is_one_line(network, options, status, words, capfd):
    assert run(["video", "frames/%04d.png", *network, *options]) == status
    err = capfd.readouterr().err
    lines = [line for line in err.splitlines() if not line.startswith("Loading")]
    assert len(lines) == 1
    assert words in lines[0]
    assert names() == ["frames"]


def test_what_is_no_video_is_one_line(network, capfd):
    Path("text.mp4").write_text("no video")
    assert run(["video", "text.mp4", *network]) == 1
    assert run(["video", "missing.mp4", *network]) == 1
    assert run(["video", "missing/%d.png", *network]) == 1
    err = capfd.readouterr().err
    assert err.count("\n") == err.count("Error: ") == 3


def test_frames_of_another_dream_are_kept_unless_they_may_be_thrown_away(clip, network, monkeypatch, capfd):
    dreamt = shots.ShotDream._frame

    def stopped(self, pixels, index, *rest):
        if index == 2:
            raise OSError("stopped")
        return dreamt(self, pixels, index, *rest)

    given = ["video", clip, *network, "-o", "out.mkv"]
    with monkeypatch.context() as patched:
        patched.setattr(shots.ShotDream, "_frame", stopped)
        assert run(given) == 1
    assert "The 2 frames that are done are in out.mkv.frames; the same command goes on" in capfd.readouterr().err
    assert run([*given, "--strength", "0.5"]) == 1
    assert "holds the frames of another dream" in capfd.readouterr().err
    assert run([*given, "--strength", "0.5", "--overwrite"]) == 0
    assert names() == ["clip.mkv", "frames", "out.mkv"]


def test_an_interrupt_leaves_a_video_to_play_and_the_same_command_goes_on(here, network):
    """A real one, in a process of its own."""
    many = Path("many")
    many.mkdir()
    for number in range(80):
        (many / f"{number}.png").write_bytes(Path(f"frames/{number % 10:04d}.png").read_bytes())
    given = ["video", "many/%d.png", *network, "-o", "out.mkv", "--codec", "ffv1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "dreamer", *given], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        end = time.monotonic() + 90
        while not Path("out.mkv.frames/000003.png").exists() and time.monotonic() < end and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert out == "out.mkv.frames/so-far.mkv\n"
    partial = frames("out.mkv.frames/so-far.mkv")
    assert 4 <= len(partial) < 80
    assert f"interrupted after {len(partial)} of 80 frames, which out.mkv.frames/so-far.mkv shows" in err
    assert "Traceback" not in err
    assert run(given) == 0
    assert names() == ["frames", "many", "out.mkv"]
    whole = [*given[:-3], "whole.mkv", *given[-2:]]
    assert run(whole) == 0
    assert Path("out.mkv").read_bytes() == Path("whole.mkv").read_bytes()
    assert len(frames("out.mkv")) == 80


def test_without_the_extra_it_says_how_to_get_it(clip):
    hidden = "import sys; sys.modules['av'] = None; import importlib.util as u; find = u.find_spec\n"
    hidden += "u.find_spec = lambda name, *more: None if name == 'av' else find(name, *more)\n"
    code = hidden + f"from dreamer.cli import run; sys.exit(run(['video', {clip!r}]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    assert "python -m pip install 'deepdreamer[video]'" in done.stderr
    # Pictures need it neither to be read nor to be written.
    code = hidden + "from dreamer.cli import run; sys.exit(run(['video', '--help']))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


@pytest.mark.parametrize(
    "arguments", [["--help"], ["video", "--help"], ["video"], ["video", "x.mp4", "--from", "soon"], ["video", "-o"]]
)
def test_help_and_what_is_mistyped_need_neither_av_nor_keras(arguments):
    code = f"import sys, dreamer.cli; dreamer.cli.run({arguments}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert not loaded & {"av", "keras", "tensorflow", "numpy", "cv2", "PIL"}


def test_help_lists_it(capfd):
    assert run(["--help"]) == 0
    (line,) = (line for line in capfd.readouterr().out.splitlines() if line.split()[:1] == ["video"])
    assert "its sound is copied" in line
    assert run(["video", "--help"]) == 0
    out = capfd.readouterr().out
    assert "dreamer video clip.mp4 --preset lace --at 4s eyes --at 8s lace" in out
    for option in ("--at", "--listen", "--carry", "--preview", "--from", "--to"):
        assert option in out
