package dev.epoll.benchmarks;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Rectangle;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.List;
import java.util.Locale;
import org.jfree.chart.ChartFactory;
import org.jfree.chart.JFreeChart;
import org.jfree.chart.StandardChartTheme;
import org.jfree.chart.axis.LogAxis;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.axis.ValueAxis;
import org.jfree.chart.labels.StandardCategoryItemLabelGenerator;
import org.jfree.chart.plot.CategoryPlot;
import org.jfree.chart.renderer.category.BarRenderer;
import org.jfree.chart.renderer.category.LineAndShapeRenderer;
import org.jfree.chart.renderer.category.StandardBarPainter;
import org.jfree.chart.text.TextUtils;
import org.jfree.chart.ui.RectangleInsets;
import org.jfree.data.category.DefaultCategoryDataset;
import org.jfree.svg.SVGGraphics2D;

/**
 * A picture of figures.
 *
 * @param file its name
 */
record Plot(String file, JFreeChart chart) {
  private static final DecimalFormatSymbols ROOT = DecimalFormatSymbols.getInstance(Locale.ROOT);
  private static final int WIDTH = 760;
  private static final int HEIGHT = 400;

  // Okabe and Ito's colours, which can be told apart whatever colours somebody sees.
  private static final List<Color> COLOURS =
      List.of(
          new Color(0xD55E00),
          new Color(0x000000),
          new Color(0x0072B2),
          new Color(0x009E73),
          new Color(0xE69F00),
          new Color(0x56B4E9),
          new Color(0xCC79A7));

  static {
    // Which would draw the letters of an axis as outlines.
    TextUtils.setUseDrawRotatedStringWorkaround(false);
  }

  /** A point of a line, or a bar. */
  record Point(String series, String place, double value) {}

  /** A line for each series, in the order in which they first appear. */
  static Plot lines(String file, String title, String x, String y, List<Point> points) {
    JFreeChart chart = ChartFactory.createLineChart(title, x, y, dataset(points));
    CategoryPlot plot = styled(chart);
    LineAndShapeRenderer lines = (LineAndShapeRenderer) plot.getRenderer();
    lines.setDefaultShapesVisible(true);
    for (int i = 0; i < plot.getDataset().getRowCount(); i++) {
      lines.setSeriesPaint(i, COLOURS.get(i % COLOURS.size()));
      lines.setSeriesStroke(i, new BasicStroke(i == 0 ? 3f : 1.5f));
    }
    NumberAxis axis = (NumberAxis) plot.getRangeAxis();
    axis.setLowerBound(0);
    return new Plot(file, chart);
  }

  /** A bar for each point, on a logarithmic scale, with its number. */
  static Plot bars(String file, String title, String x, String y, List<Point> points) {
    JFreeChart chart = ChartFactory.createBarChart(title, x, y, dataset(points));
    CategoryPlot plot = styled(chart);
    BarRenderer bars = (BarRenderer) plot.getRenderer();
    bars.setDefaultItemLabelGenerator(
        new StandardCategoryItemLabelGenerator("{2}", new DecimalFormat("#,##0.#", ROOT)));
    bars.setDefaultItemLabelsVisible(true);
    bars.setDefaultItemLabelFont(new Font(Font.SANS_SERIF, Font.PLAIN, 10));
    bars.setItemMargin(0.05);
    for (int i = 0; i < plot.getDataset().getRowCount(); i++) {
      bars.setSeriesPaint(i, COLOURS.get(i % COLOURS.size()));
    }
    if (plot.getDataset().getRowCount() == 1) {
      chart.removeLegend();
      bars.setMaximumBarWidth(0.1);
    }
    plot.setRangeAxis(logarithmic(y, points));
    return new Plot(file, chart);
  }

  private static ValueAxis logarithmic(String label, List<Point> points) {
    double[] values = points.stream().mapToDouble(Point::value).sorted().toArray();
    LogAxis axis = new LogAxis(label);
    axis.setRange(values[0] / 2, values[values.length - 1] * 2);
    // The bars have their numbers.
    axis.setTickLabelsVisible(false);
    axis.setTickMarksVisible(false);
    return axis;
  }

  private static DefaultCategoryDataset dataset(List<Point> points) {
    DefaultCategoryDataset dataset = new DefaultCategoryDataset();
    points.forEach(point -> dataset.addValue(point.value(), point.series(), point.place()));
    return dataset;
  }

  private static CategoryPlot styled(JFreeChart chart) {
    StandardChartTheme theme = new StandardChartTheme("plain");
    theme.setExtraLargeFont(new Font(Font.SANS_SERIF, Font.BOLD, 14));
    theme.setLargeFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12));
    theme.setRegularFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11));
    theme.setTitlePaint(Color.BLACK);
    theme.apply(chart);
    chart.setPadding(new RectangleInsets(8, 8, 8, 8));
    chart.setBackgroundPaint(Color.WHITE);
    CategoryPlot plot = chart.getCategoryPlot();
    plot.setBackgroundPaint(Color.WHITE);
    plot.setOutlineVisible(false);
    plot.getDomainAxis().setMaximumCategoryLabelLines(2);
    plot.setRangeGridlinesVisible(!(plot.getRenderer() instanceof BarRenderer));
    plot.setRangeGridlinePaint(Color.LIGHT_GRAY);
    if (plot.getRenderer() instanceof BarRenderer bars) {
      bars.setBarPainter(new StandardBarPainter());
      bars.setShadowVisible(false);
    }
    return plot;
  }

  /** The picture as SVG. */
  String svg() {
    SVGGraphics2D graphics = new SVGGraphics2D(WIDTH, HEIGHT);
    // The prefix of ids, which would be the time.
    graphics.setDefsKeyPrefix("plot");
    chart.draw(graphics, new Rectangle(WIDTH, HEIGHT));
    return graphics.getSVGElement();
  }
}
