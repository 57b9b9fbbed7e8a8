from twinclass_media.rtp.reception import Reception
from twinclass_media.rtp.rtcp import SenderInfo


def test_counts_loss_of_the_period_and_in_sum() -> None:
    reception = Reception(90000)
    for number in (65530, 65531, 65533, 65534, 65535, 0, 1, 3):
        reception.add(number, 0, 100, 1.0)
    block = reception.report(5, 1.0)
    assert block.cumulative_lost == 2
    assert block.fraction_lost == int(0.2 * 256)
    assert block.highest_sequence == 0x10003
    assert reception.report(5, 2.0).fraction_lost == 0


def test_reports_the_delay_since_the_last_sender_report() -> None:
    reception = Reception(48000)
    reception.add(1, 0, 10, 1.0)
    reception.add_sender_report(SenderInfo(5, 0x0000_1234_5678_0000, 0), 1.0)
    block = reception.report(5, 1.5)
    assert block.last_sr == 0x12345678
    assert block.delay_since_last_sr == 32768


def test_jitter_is_zero_when_packets_are_as_regular_as_their_stamps() -> None:
    reception = Reception(1000)
    for i in range(50):
        reception.add(i, i * 20, 10, i * 0.02)
    assert reception.report(1, 1.0).jitter_rtp == 0
