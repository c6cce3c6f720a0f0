"""Collects the pictures that `deno task study pictures` classifies, from Debian's and PyPI's packages.

    python tests/pictures/fetch.py data/pictures

writes <folder>/<group>/<class>/<file>, where the class is one of CIFAR-10's or `none`. The lists were fixed
before any of the pictures was classified: all pictures of the named folders that show one thing of one class,
without species that CIFAR-10's classes leave out (big cats, donkeys, zebras, foxes, pick-ups, buses).
Needs apt-get, dpkg-deb and pip; the pictures have their packages' licences and are not distributed here.
"""
import glob
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

STAMPS = "tuxpaint-stamps-default:usr/share/tuxpaint/stamps/"
CLIPART = "openclipart-png:usr/share/openclipart/png/"
GCOMPRIS = "gcompris-qt-data:usr/share/gcompris-qt/rcc/{0}.rcc/gcompris/src/activities/{0}/resource/"
COLOBOT = "colobot-common-textures:usr/share/games/colobot/textures/"
MYPAINT = "mypaint-data-extras:usr/share/mypaint/backgrounds/"
OPENCV = "opencv-doc:usr/share/doc/opencv-doc/examples/data/"
DARKNET = "darknet:usr/share/darknet/data/"
SKIMAGE = "scikit-image==0.26.0:skimage/data/"
FARM, WORLD, ERASE = GCOMPRIS.format("explore_farm_animals"), GCOMPRIS.format("explore_world_animals"), GCOMPRIS.format("erase")
FARM, WORLD = FARM + "animals/", WORLD + "animals/"
SORTED = GCOMPRIS.format("categorization") + "images/"

# group: class: (place, names), names with * are patterns
PICTURES = {
    "cut-out-birds": {"bird": [(STAMPS + "animals/birds/", "*.png")]},
    "other-cut-outs": {
        "airplane": [(STAMPS + "vehicles/flight/planes/", "747.png"), (STAMPS + "military/vehicles/", "f22_raptor.png")],
        "automobile": [(STAMPS + "vehicles/auto/", "beetle.png sedan.png sportscar2.png")],
        "deer": [(STAMPS + "animals/mammals/deer/", "*.png")],
        "dog": [(STAMPS + "animals/mammals/dogs/", "dingo.png dog.png")],
        "frog": [(STAMPS + "animals/amphibians/", "*.png")],
        "horse": [(STAMPS + "animals/mammals/equines/", "horse.png")],
        "ship": [(STAMPS + "vehicles/ship/", "chineseJunk.png walnutBoat.png")],
        "truck": [(STAMPS + "vehicles/", "garbagetruck.png"), (STAMPS + "vehicles/emergency/", "firetruck.png")],
    },
    "photographs": {
        "automobile": [(OPENCV, "licenseplate_motion.jpg")],
        "bird": [
            (FARM, "chicken.webp duck.webp owl.webp"), (WORLD, "scarlet_macaw.webp"), (DARKNET, "eagle.jpg"),
            (ERASE, "gosling.webp heron.webp kingfisher.webp northern_harrier.webp penguin.webp spoonbills.webp"),
            (ERASE, "swans.webp toucan.webp"),
        ],
        "cat": [(FARM, "cat.webp"), (ERASE, "kitten.webp"), (SKIMAGE, "chelsea.png")],
        "deer": [(WORLD, "moose.webp")],
        "dog": [(FARM, "dog.webp"), (OPENCV, "chicky_512.png"), (DARKNET, "dog.jpg")],
        "horse": [(FARM, "horse.webp"), (ERASE, "horse.webp"), (DARKNET, "horses.jpg")],
    },
    "drawings": {
        "airplane": [(CLIPART + "transportation/vehicles/", "aircraft_jarno_vasamaa*.png")],
        "automobile": [
            (CLIPART + "transportation/", "car_jamin_ellis_.png old_car_lumen_design_st_r.png"),
            (CLIPART + "transportation/", "sportcar_sergio_luiz_ara_01.png"),
            (CLIPART + "transportation/vehicles/", "car.png road_runner*.png"),
        ],
        "cat": [(CLIPART + "animals/mammals/housecats/", "gatto_cat_*.png gattina_cat_*.png kitten_gerald_*.png")],
        "deer": [(CLIPART + "animals/mammals/", "deer_*.png")],
        "dog": [(CLIPART + "animals/mammals/dogs/", "beagle_*.png black_lab_*.png bobi_*.png bulldog_puppy_*.png")],
        "frog": [(CLIPART + "animals/", "red-eye_frog_*.png")],
        "horse": [(CLIPART + "animals/mammals/horses/", "cavallo_*.png")],
        "ship": [
            (CLIPART + "transportation/boating/", "boat_jarno_vasamaa*.png sailboat_illustration.png sailing_kids.png"),
            (CLIPART + "transportation/vehicles/", "trawler_01.png"),
        ],
        "truck": [
            (CLIPART + "transportation/", "big_truck_01.png old_truck_indana_model__01.png"),
            (CLIPART + "transportation/", "truck_jarno_vasamaa*.png"),
        ],
    },
    "other-photographs": {
        "none": [(SORTED + folder, "*.webp") for folder in
                 "alphabets/ fishes/ monuments/ numbers/ others/ renewable/ tools/".split()],
    },
    "other-drawings": {"none": [(CLIPART + folder, "*.png") for folder in "food/*/ plants/*/ tools/*/".split()]},
    "textures": {
        "none": [
            (COLOBOT, "chili* desert4.png desert5.png dirty* green* lava* mars* mix01.png moon103.png relief*"),
            (COLOBOT, "terra* water*"), (MYPAINT + "*/", "*.png"), (SKIMAGE, "brick.png grass.png gravel.png"),
        ],
    },
}


def unpack_resources(path: str) -> None:
    """Replaces a Qt resource file by a folder of its name with its uncompressed and zlib-compressed files."""
    with open(path, "rb") as file:
        data = file.read()
    version, tree, content, names = struct.unpack(">4I", data[4:20])
    node_size = 14 if version < 2 else 22

    def unpack_node(index: int, parent: str) -> None:
        node = tree + index * node_size
        name_at, flags, first, second = struct.unpack(">IHII", data[node:node + 14])
        length = struct.unpack(">H", data[names + name_at:names + name_at + 2])[0]
        name = data[names + name_at + 6:names + name_at + 6 + 2 * length].decode("utf-16-be") if index else ""
        target = os.path.join(parent, name)
        if flags & 2:  # a folder
            os.makedirs(target, exist_ok=True)
            for child in range(second, second + first):
                unpack_node(child, target)
            return
        size_at = content + second
        size = struct.unpack(">I", data[size_at:size_at + 4])[0]
        body = data[size_at + 4:size_at + 4 + size]
        if not flags & 4:  # not zstd
            with open(target, "wb") as file:
                file.write(zlib.decompress(body[4:]) if flags & 1 else body)

    os.remove(path)
    unpack_node(0, path)


def count_pixels(png: str) -> int:
    with open(png, "rb") as file:
        width, height = struct.unpack(">II", file.read(24)[16:])
    return width * height


def unpack_package(package: str, folder: str) -> None:
    """Downloads a package, of PyPI where a version is given, and unpacks it."""
    if "==" in package:
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, package], check=True)
        shutil.unpack_archive(glob.glob(os.path.join(folder, "*.whl"))[0], folder, "zip")
        return
    subprocess.run(["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", package], check=True, cwd=folder)
    subprocess.run(["dpkg-deb", "-x", glob.glob(os.path.join(folder, "*.deb"))[0], folder], check=True)
    for path in glob.glob(os.path.join(folder, "**", "*.rcc"), recursive=True):
        unpack_resources(path)


def main(target: str) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        for group, classes in PICTURES.items():
            count = 0
            for name, places in classes.items():
                found = []
                for place, patterns in places:
                    package, path = place.split(":")
                    folder = os.path.join(temporary, package)
                    if not os.path.exists(folder):
                        os.mkdir(folder)
                        unpack_package(package, folder)
                    for pattern in patterns.split():
                        matches = sorted(glob.glob(os.path.join(folder, path + pattern)))
                        if not matches:
                            sys.exit(f"{place}{pattern} is not in this version of the package.")
                        found += matches
                if group == "other-drawings":  # about as many as in the other groups, none too large to be read
                    found = [path for path in found if count_pixels(path) <= 100_000_000][::4]
                os.makedirs(os.path.join(target, group, name), exist_ok=True)
                for number, path in enumerate(found):
                    copy = os.path.join(target, group, name, f"{number:03d}-{os.path.basename(path)}")
                    shutil.copyfile(path, copy)
                count += len(found)
            print(f"{group}: {count} pictures")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) == 2 else sys.exit(__doc__))
