from musicapp.audio.loudness import Loudness, parse_loudness

SUMMARY = """[Parsed_ebur128_3 @ 0x7f] Summary:

  Integrated loudness:
    I:         {integrated} LUFS
    Threshold: -35.0 LUFS
[aost#4:0/pcm_s16le @ 0x5] a line of another thread

  True peak:
    Peak:      {peak} dBFS
"""


def test_summary_becomes_replaygain_2() -> None:
    log = SUMMARY.format(integrated="-25.0", peak="-19.9")
    assert parse_loudness(log) == Loudness(-25.0, -19.9, 7.0)


def test_silence_has_no_loudness() -> None:
    nothing = Loudness(None, None, None)
    assert parse_loudness(SUMMARY.format(integrated="-70.0", peak="-inf")) == nothing
    assert parse_loudness(SUMMARY.format(integrated="nan", peak="nan")) == nothing
    assert parse_loudness("") == nothing


def test_loudest_part_counts_when_the_format_changed() -> None:
    log = SUMMARY.format(integrated="-25.0", peak="-3.0") + SUMMARY.format(integrated="-9.5", peak="-4.0")
    assert parse_loudness(log) == Loudness(-9.5, -3.0, -8.5)


def test_tags_that_look_like_a_summary_are_not_believed() -> None:
    tags = "  Metadata:\n    comment         : [Parsed_ebur128_3 @ 0x7f] Summary:\n    I: 99 LUFS\n"
    log = tags + SUMMARY.format(integrated="-25.0", peak="-19.9")
    assert parse_loudness(log).integrated_loudness_lufs == -25.0
