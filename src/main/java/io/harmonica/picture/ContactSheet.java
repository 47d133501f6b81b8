package io.harmonica.picture;

import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.util.List;

/**
 * Lays pictures of one size out in a grid, row by row, on a transparent ground.
 *
 * <pre>{@code
 * Png.write(new ContactSheet(4, 2).draw(Pictures.of(pixels)), Path.of("sheet.png"));
 * }</pre>
 *
 * @param columns pictures in a row
 * @param scale every pixel becomes a square of this many; pictures of example models are small
 * @param columnCaptions above the columns, from the first on; may be empty
 * @param rowCaptions left of the rows, from the first on; may be empty
 */
public record ContactSheet(
    int columns, int scale, List<String> columnCaptions, List<String> rowCaptions) {
  private static final int MARGIN = 4;
  private static final int CAPTION_ARGB = 0xff7a7a7a; // reads on white and on black

  public ContactSheet {
    if (columns < 1 || scale < 1) {
      throw new IllegalArgumentException(
          "columns and scale must be at least 1: columns %d, scale %d".formatted(columns, scale));
    }
    columnCaptions = List.copyOf(columnCaptions);
    rowCaptions = List.copyOf(rowCaptions);
  }

  /** Without captions. */
  public ContactSheet(int columns, int scale) {
    this(columns, scale, List.of(), List.of());
  }

  /** With captions above the columns, from the first on. */
  public ContactSheet withColumnCaptions(List<String> captions) {
    return new ContactSheet(columns, scale, captions, rowCaptions);
  }

  /** With captions left of the rows, from the first on. */
  public ContactSheet withRowCaptions(List<String> captions) {
    return new ContactSheet(columns, scale, columnCaptions, captions);
  }

  /** Draws the sheet; fewer pictures than columns make a narrower one. */
  public BufferedImage draw(List<BufferedImage> pictures) {
    if (pictures.isEmpty()) {
      throw new IllegalArgumentException("a contact sheet needs at least one picture");
    }
    int width = pictures.get(0).getWidth() * scale;
    int height = pictures.get(0).getHeight() * scale;
    int across = Math.min(columns, pictures.size());
    int down = (pictures.size() + columns - 1) / columns;
    int left = MARGIN + captionWidth();
    int top = MARGIN + (columnCaptions.isEmpty() ? 0 : PixelFont.HEIGHT + MARGIN);
    BufferedImage sheet =
        new BufferedImage(
            left + across * (width + MARGIN),
            top + down * (height + MARGIN),
            BufferedImage.TYPE_INT_ARGB);
    Graphics2D graphics = sheet.createGraphics();
    for (int i = 0; i < pictures.size(); i++) {
      BufferedImage picture = pictures.get(i);
      if (picture.getWidth() * scale != width || picture.getHeight() * scale != height) {
        throw new IllegalArgumentException(
            "picture %d is %d x %d, the first one %d x %d"
                .formatted(
                    i, picture.getWidth(), picture.getHeight(), width / scale, height / scale));
      }
      int x = left + i % columns * (width + MARGIN);
      int y = top + i / columns * (height + MARGIN);
      graphics.drawImage(picture, x, y, width, height, null); // nearest neighbour, AWT's default
    }
    graphics.dispose();
    for (int column = 0; column < Math.min(across, columnCaptions.size()); column++) {
      String caption = PixelFont.fitting(columnCaptions.get(column), width);
      int x = left + column * (width + MARGIN) + (width - PixelFont.width(caption)) / 2;
      PixelFont.draw(sheet, caption, x, MARGIN, CAPTION_ARGB);
    }
    for (int row = 0; row < Math.min(down, rowCaptions.size()); row++) {
      int y = top + row * (height + MARGIN) + (height - PixelFont.HEIGHT) / 2;
      PixelFont.draw(sheet, rowCaptions.get(row), MARGIN, y, CAPTION_ARGB);
    }
    return sheet;
  }

  private int captionWidth() {
    int widest = rowCaptions.stream().mapToInt(PixelFont::width).max().orElse(0);
    return widest == 0 ? 0 : widest + 2 * MARGIN;
  }
}
