//! Images with a border of zeros.

use crate::Scalar;

/// How images are read: `height` x `width` pixels, of which the image's own start at (`top`, `left`); what lies
/// outside the image is zero, what the image has beyond is not read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// Rows, columns and channels of the image.
    pub image: [usize; 3],
    pub top: usize,
    pub left: usize,
    pub height: usize,
    pub width: usize,
}

impl Frame {
    /// Whether the image has all that is read, so that it is read where it lies.
    fn is_bare(&self) -> bool {
        self.top == 0 && self.left == 0 && self.height <= self.image[0] && self.width <= self.image[1]
    }

    /// Elements from one row to the next, as [`Frame::show`] shows them.
    pub(super) fn line(&self) -> usize {
        self.image[2] * if self.is_bare() { self.image[1] } else { self.width }
    }

    /// Elements from one image to the next, as [`Frame::show`] shows them.
    pub(super) fn step(&self) -> usize {
        self.line() * if self.is_bare() { self.image[0] } else { self.height }
    }

    /// Elements of memory that an image takes.
    pub(super) fn room(&self) -> usize {
        if self.is_bare() { 0 } else { self.step() }
    }

    /// Makes the borders of all images that will be shown in this memory.
    pub(super) fn clear<T: Scalar>(&self, memory: &mut [T]) {
        memory.fill(T::ZERO);
    }

    /// Whole images in their frames, in memory that was cleared for this frame and shows no larger number of them.
    pub(super) fn show<'a, T: Scalar>(&self, images: &'a [T], memory: &'a mut [T]) -> &'a [T] {
        if self.is_bare() {
            return images;
        }
        let [height, width, channels] = self.image;
        let copied = width.min(self.width - self.left) * channels;
        for (image, framed) in
            images.chunks_exact(height * width * channels).zip(memory.chunks_exact_mut(self.step()))
        {
            let rows = framed.chunks_exact_mut(self.line()).skip(self.top);
            for (row, framed) in image.chunks_exact(width * channels).zip(rows) {
                framed[self.left * channels..][..copied].copy_from_slice(&row[..copied]);
            }
        }
        memory
    }
}
