package io.harmonica.compare;

import java.io.StringWriter;
import java.util.Optional;
import javax.xml.stream.XMLOutputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamWriter;

/** A test case for each variant, which fails where the variant did, and one for each gate. */
final class ReportJunit {
  private final XMLStreamWriter xml;

  private ReportJunit(XMLStreamWriter xml) {
    this.xml = xml;
  }

  static String of(Report report) {
    StringWriter text = new StringWriter();
    try {
      XMLStreamWriter xml = XMLOutputFactory.newInstance().createXMLStreamWriter(text);
      new ReportJunit(xml).write(report);
      xml.close();
    } catch (XMLStreamException e) {
      throw new IllegalStateException(e);
    }
    return text + "\n";
  }

  private void write(Report report) throws XMLStreamException {
    long failed =
        report.variants().stream().filter(e -> e.measurement().fault().isPresent()).count()
            + report.verdicts().stream().filter(Gate.Verdict::fired).count();
    xml.writeStartDocument("UTF-8", "1.0");
    xml.writeStartElement("testsuite");
    xml.writeAttribute("name", "harmonica compare: " + report.title());
    xml.writeAttribute(
        "tests", Integer.toString(report.variants().size() + report.verdicts().size()));
    xml.writeAttribute("failures", Long.toString(failed));
    for (Report.Entry entry : report.variants()) {
      double seconds =
          entry.measurement().turns().stream().mapToLong(Turn::makespanNanos).sum() / 1e9;
      testCase(entry.key() + ": " + entry.name(), "variants", seconds, entry.measurement().fault());
    }
    for (Gate.Verdict verdict : report.verdicts()) {
      testCase(
          "fail if " + verdict.expression(),
          "gates",
          0,
          verdict.fired() ? Optional.of(verdict.values()) : Optional.empty());
    }
    xml.writeStartElement("system-out");
    xml.writeCharacters(report.table());
    xml.writeEndElement();
    xml.writeEndElement();
    xml.writeEndDocument();
  }

  private void testCase(String name, String group, double seconds, Optional<String> failure)
      throws XMLStreamException {
    xml.writeStartElement("testcase");
    xml.writeAttribute("classname", "harmonica.compare." + group);
    xml.writeAttribute("name", name);
    xml.writeAttribute("time", Numbers.format("%.3f", seconds));
    if (failure.isPresent()) {
      xml.writeStartElement("failure");
      xml.writeAttribute("message", failure.get());
      xml.writeEndElement();
    }
    xml.writeEndElement();
  }
}
