"""Box tables: the four formats, and each way in which one can be wrong."""

import gzip
import zipfile

import pytest

from x2x_core.pseudomasks.building.box_tables import read_boxes, table_format
from x2x_core.pseudomasks.building.boxes import Box

NIH = """Image Index,Finding Label,Bbox [x,y,w,h],,,
00013118_008.png,Atelectasis,256,512,128,64,,,
00013118_009.png,Infiltration,768,512,128,64,,,
"""


RSNA = """patientId,x,y,width,height,Target
0004cfab,,,,,0
00436515,264.0,152.0,213.0,379.0,1
"""


MSCXR = """category_name,label_text,path,x,y,w,h,dicom_id,image_width,image_height,split
Pleural Effusion,small effusion,files/p10/p10000032/s50414267/a.jpg,1000,1500,500,250,a,2000,2500,test
"""


VINDR = """image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max
a,No finding,14,R1,,,,
b,Pleural effusion,10,R2,1000,1500,1500,2000
b,Nodule/Mass,8,R3,100,100,200,300
"""


SIZES = """image_id,dim0,dim1
a,3000,2400
b,2500,2000
"""


def write(folder, text, name="boxes.csv"):
    path = folder / name
    path.write_text(text)
    return path


def test_nih_boxes_are_scaled_to_the_unit_square(tmp_path):
    boxes = read_boxes(write(tmp_path, NIH))
    assert boxes[0] == Box("Atelectasis", 0.3125, 0.53125, 0.125, 0.0625, "00013118_008.png", "00013118")
    assert [box.category for box in boxes] == ["Atelectasis", "Infiltrate"]


def test_the_patients_right_is_on_the_images_left(tmp_path):
    right, left = read_boxes(write(tmp_path, NIH))
    assert (right.side, left.side) == ("right", "left")
    assert Box("Cardiomegaly", 0.53, 0.6, 0.4, 0.3, "i", "p").side is None


def test_rsna_rows_without_a_finding_give_no_box(tmp_path):
    (box,) = read_boxes(write(tmp_path, RSNA))
    assert (box.category, box.image_id, box.side) == ("Pneumonia", "00436515", "right")
    assert box.width == pytest.approx(213 / 1024)


def test_mscxr_boxes_know_their_image_size_and_their_patient(tmp_path):
    (box,) = read_boxes(write(tmp_path, MSCXR))
    assert (box.category, box.image_id, box.patient_id) == ("Effusion", "a", "p10000032")
    assert box.edges == pytest.approx((0.5, 0.6, 0.75, 0.7))


def test_vindr_boxes_take_the_sizes_of_their_images_from_a_table_or_from_columns(tmp_path):
    effusion, lesion = read_boxes(write(tmp_path, VINDR), write(tmp_path, SIZES, "sizes.csv"))
    assert (effusion.category, effusion.image_id, effusion.patient_id) == ("Effusion", "b", "b")
    assert effusion.edges == pytest.approx((0.5, 0.6, 0.75, 0.8))
    assert lesion.category == "Lung Lesion"
    header, *rows = VINDR.strip().split("\n")
    widened = "\n".join([header + ",width,height", *(row + ",2000,2500" for row in rows)])
    assert read_boxes(write(tmp_path, widened)) == [effusion, lesion]


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        (None, "row 3: .*size of the image is unknown. Give a table of sizes"),
        ("image_id,dim0,dim1\na,3000,2400\n", "`sizes` has no row for image b"),
        ("image_id,dim0\nb,3000\n", "must have a column `image_id` and columns `width` and `height`"),
        ("image_id,dim0,dim1\nb,3000,wide\n", "row 2: column `dim1` must be a number"),
    ],
)
def test_vindr_boxes_without_sizes_are_named(tmp_path, sizes, words):
    table = write(tmp_path, sizes, "sizes.csv") if sizes else None
    with pytest.raises(ValueError, match=words):
        read_boxes(write(tmp_path, VINDR), table)


def test_the_format_is_recognised_by_the_header(tmp_path):
    tables = {"NIH": NIH, "RSNA": RSNA, "MS-CXR": MSCXR, "VinDr-CXR": VINDR}
    assert {name: table_format(write(tmp_path, text)) for name, text in tables.items()} == {
        name: name for name in tables
    }


def test_gzipped_and_zipped_tables_are_read(tmp_path):
    plain = read_boxes(write(tmp_path, NIH))
    packed = tmp_path / "boxes.csv.gz"
    packed.write_bytes(gzip.compress(NIH.encode()))
    with zipfile.ZipFile(tmp_path / "boxes.csv.zip", "w") as archive:
        archive.writestr("boxes.csv", NIH)
    assert read_boxes(packed) == plain
    assert read_boxes(tmp_path / "boxes.csv.zip") == plain


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("a,b\n1,2\n", "is missing"),
        (NIH.replace("Finding Label", "Finding"), "`Finding Label` is missing"),
        (NIH.replace("256,", "wide,", 1), "row 2: column `Bbox \\[x` must be a number, got 'wide'"),
        (NIH.replace("256,", "nan,", 1), "row 2: column `Bbox \\[x` must be a finite number"),
        (NIH.replace(",256,", ",,", 1), "row 2: column `Bbox \\[x` must have a value"),
        (NIH.replace("768,512,128,64", "768,512,0,64"), "row 3: columns .* positive width"),
        (NIH.replace("768,512", "1768,512"), "row 3: columns .* inside its image"),
        (RSNA.replace(",1\n", ",yes\n"), "row 3: column `Target` must be 0 or 1, got 'yes'"),
        (MSCXR.replace("2000,2500", "0,2500"), "row 2: columns .* positive"),
        (RSNA.split("\n")[0] + "\nx,,,,,0\n", "at least one box"),
    ],
)
def test_a_malformed_table_names_the_row_and_the_column(tmp_path, text, words):
    path = write(tmp_path, text)
    with pytest.raises(ValueError, match=words) as caught:
        read_boxes(path)
    assert str(path) in str(caught.value)


def test_a_missing_table_and_an_unreadable_one_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere.csv"):
        read_boxes(tmp_path / "nowhere.csv")
    broken = tmp_path / "broken.csv.gz"
    broken.write_bytes(b"no gzip")
    with pytest.raises(ValueError, match=r"broken.csv.gz"):
        read_boxes(broken)
