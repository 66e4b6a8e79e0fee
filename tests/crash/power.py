"""A disk that loses power: ext4 on a loop image in memory, cut by the shutdown ioctl. What was not
synced is gone, as the page cache is on a machine without electricity."""

import contextlib
import fcntl
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import time

SHUTDOWN = 0x8004587d  # EXT4_IOC_SHUTDOWN
NO_LOG_FLUSH = 2       # the file system's journal is not written first
IMAGE_OCTETS = 3 << 30  # sparse: what is used lies in memory
UNMOUNT_SECONDS_MAX = 20


class PowerRefused(Exception):
    """Nothing can be mounted here, and why."""


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PowerRefused(f'{" ".join(command)}: {done.stderr.strip() or done.returncode}')


class PowerDisk:
    """One image with one mount point. `room` bounds the memory behind the image, for real I/O
    errors: an image whose blocks find no memory fails its writes with EIO."""

    def __init__(self, room=None):
        memory = '/dev/shm' if os.path.isdir('/dev/shm') else None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='kurir-power-', dir=memory))
        self.mount_point = self.folder / 'disk'
        self.mount_point.mkdir()
        self.behind = self.folder
        self.is_mounted = False
        try:
            if room:
                self.behind = self.folder / 'behind'
                self.behind.mkdir()
                run('mount', '-t', 'tmpfs', '-o', f'size={room}', 'tmpfs', str(self.behind))
            self.image = self.behind / 'image'
            with open(self.image, 'wb') as image:
                image.truncate(IMAGE_OCTETS)
            run('mkfs.ext4', '-q', '-F', str(self.image))
            self.mount()
        except (PowerRefused, FileNotFoundError) as refusal:
            self.remove()
            raise PowerRefused(str(refusal)) from None

    def mount(self):
        run('mount', '-o', 'loop', str(self.image), str(self.mount_point))
        self.is_mounted = True

    def cut(self):
        """From here on nothing reaches the image."""
        descriptor = os.open(self.mount_point, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, SHUTDOWN, struct.pack('I', NO_LOG_FLUSH))
        finally:
            os.close(descriptor)

    def power_on(self):
        """After cut() and the end of all who used it: what the image has is what there is."""
        self.unmount()
        self.mount()
        if self.is_dead():
            # Another mount namespace, of a test beside this one, holds the dead file system, and
            # whoever mounts the same image is given that one.
            self.unmount()
            self.replace_image()
            self.mount()

    def is_dead(self):
        mounts = pathlib.Path('/proc/self/mounts').read_text().splitlines()
        options = [line.split()[3] for line in mounts if line.split()[1] == str(self.mount_point)]
        return any('shutdown' in of_one.split(',') for of_one in options)

    def replace_image(self):
        copy = self.image.with_name(self.image.name + '-copy')
        run('cp', '--sparse=always', str(self.image), str(copy))
        self.image.unlink()
        self.image = copy

    def unmount(self):
        end = time.monotonic() + UNMOUNT_SECONDS_MAX
        while True:  # the kernel gives the files of a killed process back a moment later
            try:
                run('umount', str(self.mount_point))
                break
            except PowerRefused:
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)
        self.is_mounted = False

    def fill_behind(self):
        """From here on blocks that the image has not yet fail with EIO."""
        with contextlib.suppress(OSError), open(self.behind / 'filler', 'wb', 0) as filler:
            while True:
                filler.write(bytes(1 << 20))

    def free_behind(self):
        (self.behind / 'filler').unlink()

    def remove(self):
        if self.is_mounted:
            self.unmount()
        if self.behind != self.folder:
            with contextlib.suppress(PowerRefused):
                run('umount', str(self.behind))
        shutil.rmtree(self.folder, ignore_errors=True)
