"""Pictures: nothing of the original but what is seen."""

from __future__ import annotations

import io

import pytest
from PIL import ExifTags, Image, ImageCms, PngImagePlugin

from hub.domain.content import FileUse
from hub.domain.problems import Invalid
from hub.intake.files import FileLimits, FileStore
from hub.intake.pictures import PictureLimits
from tests.intake import papers


def opened(store: FileStore, use: FileUse) -> Image.Image:
    return Image.open(io.BytesIO(store.path(use.sha256).read_bytes()))


def with_gps(orientation: int = 6) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "SecretPhone"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (32.0, 3.0, 1.0)
    image = Image.new("RGB", (60, 40), "navy")
    image.paste("white", (0, 0, 10, 40))
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif, comment=b"SecretComment", quality=95)
    return out.getvalue()


def test_place_and_camera_are_stripped_and_the_picture_stands_upright(store: FileStore) -> None:
    data = with_gps()
    assert b"SecretPhone" in data
    use = store.take("现场.jpg", data, role="picture", alt="现场")
    kept = store.path(use.sha256).read_bytes()
    assert b"Secret" not in kept
    assert b"Exif" not in kept
    image = opened(store, use)
    assert not image.getexif()
    assert image.size == (40, 60) == (use.width, use.height)
    # The white edge was at the left of the stored pixels; turned upright it is at the top.
    top, bottom = image.convert("L").getpixel((20, 2)), image.convert("L").getpixel((20, 57))
    assert isinstance(top, int | float)
    assert isinstance(bottom, int | float)
    assert top > 200 > 60 > bottom
    assert (use.media_type, use.alt, use.role, use.size) == ("image/jpeg", "现场", "picture", len(kept))


def test_words_hidden_in_a_png_are_stripped(store: FileStore) -> None:
    words = PngImagePlugin.PngInfo()
    words.add_text("Author", "SecretAuthor")
    use = store.take("图.png", papers.picture(pnginfo=words, dpi=(300, 300)), role="picture")
    assert b"SecretAuthor" not in store.path(use.sha256).read_bytes()


def test_a_picture_handed_in_as_attachment_is_stripped_too(store: FileStore) -> None:
    use = store.take("现场.jpg", with_gps())
    assert b"Secret" not in store.path(use.sha256).read_bytes()
    assert use.role == "attachment"


def test_the_same_picture_gives_the_same_bytes(store: FileStore) -> None:
    assert store.take("a.jpg", with_gps()).sha256 == store.take("b.jpg", with_gps()).sha256


@pytest.mark.parametrize(
    ("kind", "mode", "name", "kept", "media"),
    [
        ("PNG", "RGBA", "图.png", "图.png", "image/png"),
        ("PNG", "I;16", "图.png", "图.png", "image/png"),
        ("PNG", "1", "图.png", "图.png", "image/png"),
        ("PNG", "P", "图.png", "图.png", "image/png"),
        ("JPEG", "CMYK", "图.jpeg", "图.jpeg", "image/jpeg"),
        ("WEBP", "RGB", "图.webp", "图.jpg", "image/jpeg"),
        ("WEBP", "RGBA", "图.webp", "图.png", "image/png"),
        ("BMP", "RGB", "图.bmp", "图.png", "image/png"),
        ("GIF", "P", "图.gif", "图.gif", "image/gif"),
    ],
)
def test_every_kind_becomes_one_that_channels_take(store: FileStore, kind: str, mode: str, name: str, kept: str, media: str) -> None:
    colour = {"RGBA": (1, 2, 3, 128), "CMYK": (1, 2, 3, 4), "RGB": (1, 2, 3)}.get(mode, 1)
    use = store.take(name, papers.picture(kind, mode=mode, colour=colour), role="picture")
    assert (use.name, use.media_type) == (kept, media)
    assert opened(store, use).size == (40, 30)


def test_see_through_stays_see_through(store: FileStore) -> None:
    use = store.take("章.png", papers.picture(mode="RGBA", colour=(200, 0, 0, 0)), role="picture")
    assert opened(store, use).convert("RGBA").getpixel((5, 5)) == (200, 0, 0, 0)


def test_a_colour_profile_is_applied_and_dropped(store: FileStore) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    use = store.take("图.jpg", papers.picture("JPEG", colour=(200, 30, 30), icc_profile=profile), role="picture")
    image = opened(store, use)
    assert "icc_profile" not in image.info
    colour = image.getpixel((5, 5))
    assert isinstance(colour, tuple)
    assert abs(colour[0] - 200) < 6


def test_a_broken_profile_does_not_lose_the_picture(store: FileStore) -> None:
    use = store.take("图.jpg", papers.picture("JPEG", icc_profile=b"no profile at all"), role="picture")
    assert "icc_profile" not in opened(store, use).info


def test_large_pictures_are_scaled_and_long_ones_stay_readable(store: FileStore) -> None:
    assert (PictureLimits().side, PictureLimits().tall) == (2560, 16_000)
    small = FileStore(store.root, FileLimits(pictures=PictureLimits(side=256, tall=1600)))
    for size, kept in (((400, 200), (256, 128)), ((200, 400), (128, 256)), ((108, 600), (108, 600)), ((512, 1200), (256, 600))):
        use = small.take("图.png", papers.picture(size=size), role="picture")
        assert (use.width, use.height) == kept


def test_a_gif_keeps_moving_at_its_pace(store: FileStore) -> None:
    frames = [Image.new("RGB", (50, 40), colour) for colour in ("red", "lime", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=[120, 240, 360], loop=0, comment=b"SecretComment")
    use = store.take("动.gif", out.getvalue(), role="picture")
    image = opened(store, use)
    assert getattr(image, "n_frames", 1) == 3
    pace = []
    colours = []
    for frame in range(3):
        image.seek(frame)
        pace.append(image.info["duration"])
        colours.append(image.convert("RGB").getpixel((10, 10)))
    assert pace == [120, 240, 360]
    assert colours == [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    assert image.info["loop"] == 0
    assert b"Secret" not in store.path(use.sha256).read_bytes()


def moving_webp() -> bytes:
    frames = [Image.new("RGB", (20, 20), c) for c in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], duration=100)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("图.png", papers.png_claiming(30_000, 30_000), "bomb"),
        ("图.png", papers.png_claiming(9000, 9000), "bomb"),
        ("图.png", papers.png_claiming(400, 400), "broken"),
        ("图.png", papers.picture()[:60], "broken"),
        ("图.jpg", papers.picture("JPEG", size=(300, 300))[:400], "broken"),
        ("图.jpg", papers.picture("PNG"), "mismatch"),
        ("图.webp", moving_webp(), "animated"),
        ("图.heic", b"\0\0\0\x18ftypheic", "type"),
    ],
)
def test_bad_pictures_are_refused(store: FileStore, name: str, data: bytes, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        store.take(name, data, role="picture")
    assert [p.code for p in caught.value.problems] == [code]


def test_a_gif_of_too_many_frames_is_refused(store: FileStore) -> None:
    frames = [Image.new("L", (8, 8), n) for n in range(12)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    narrow = FileStore(store.root, FileLimits(pictures=PictureLimits(frames=10)))
    with pytest.raises(Invalid, match="帧"):
        narrow.take("动.gif", out.getvalue(), role="picture")


def test_a_paper_is_no_picture(store: FileStore) -> None:
    with pytest.raises(Invalid, match="可以上传jpg"):
        store.take("文.pdf", papers.pdf(["字"]), role="picture")
