package io.harmonica.triton;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.harmonica.HarmonicaException;
import io.harmonica.cli.Harmonica;
import io.harmonica.runtime.ContractModels;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import io.harmonica.triton.proto.GRPCInferenceServiceGrpc.GRPCInferenceServiceImplBase;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** TLS and tokens against a real Triton with its own flags for both. */
@Tag("triton")
class ConnectionTest {
  private static final String TOKEN = "open-sesame-4711";

  @TempDir static Path folder;

  private static Path repository;
  private static TestCertificates certificates;
  private static TritonServer server; // TLS, and a token for what follows the connection

  @TempDir Path own;

  @BeforeAll
  static void serve() throws Exception {
    repository = folder.resolve("repository");
    ContractModels.writeUnbatched(repository);
    certificates = TestCertificates.in(folder.resolve("certificates")).sign("server");
    server =
        TritonServer.start(
            repository,
            "--grpc-use-ssl=true",
            "--grpc-server-cert=" + certificates.certificate("server"),
            "--grpc-server-key=" + certificates.key("server"),
            "--grpc-restricted-protocol=inference,model-config:token=" + TOKEN);
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
  }

  private static Tls trusting(TestCertificates authority) {
    return new Tls(Optional.of(authority.ca()), Optional.empty(), Optional.empty());
  }

  private Headers token(String value) throws Exception {
    Path file = own.resolve("headers");
    Files.writeString(file, "# for Triton\n\nTriton-Grpc-Protocol-Token: " + value + "\n");
    return Headers.read(file);
  }

  private static float infer(String address, Connection connection) {
    ServerOptions options = new ServerOptions(Duration.ofSeconds(20)).withConnection(connection);
    try (Runtime runtime = TritonRuntime.connect(address, options);
        Tensor x = runtime.tensor(FloatBuffer.wrap(new float[] {3, 4}), 2, 1);
        Tensor y = runtime.infer("unbatched", Map.of("x", x), Set.of("y")).get("y")) {
      return y.floats().get(0);
    }
  }

  private static AbstractThrowableAssert<?, ? extends Throwable> assertRefused(
      String address, Connection connection) {
    return assertThatThrownBy(() -> infer(address, connection))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith("Triton server " + address)
        .hasMessageNotContaining("\n");
  }

  @Test
  void tlsAndToken_reachTheModel() throws Exception {
    Connection connection =
        Connection.PLAIN
            .withTls(trusting(certificates))
            .withHeaders(token(TOKEN))
            .withKeepAlive(Duration.ofMinutes(6));
    assertThat(infer(server.address(), connection)).isEqualTo(-3);
    assertThat(infer("localhost:" + server.address().split(":")[1], connection)).isEqualTo(-3);
  }

  @Test
  void wrongOrMissingToken_isRefused_andNeverTold() throws Exception {
    Connection encrypted = Connection.PLAIN.withTls(trusting(certificates));
    String wrong = "wrong-token-0815";
    for (Connection connection :
        new Connection[] {encrypted, encrypted.withHeaders(token(wrong))}) {
      assertRefused(server.address(), connection)
          .hasMessageContainingAll("refused us", "'unbatched'", "`headerFile`")
          .satisfies(fault -> assertThat(trace(fault)).doesNotContain(wrong));
    }
  }

  @Test
  void commandLineWithWrongToken_saysSo_andTellsNoSecret_verboseEither() throws Exception {
    token("wrong-token-0815");
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    PrintStream to = new PrintStream(said, true, StandardCharsets.UTF_8);
    String[] words = {
      "generate",
      "--triton",
      server.address(),
      "--model",
      "unbatched",
      "--classes",
      "1",
      "--tls-ca",
      certificates.ca().toString(),
      "--header-file",
      own.resolve("headers").toString(),
      "--out",
      own.resolve("out").toString(),
      "--verbose"
    };
    assertThat(Harmonica.run(words, to, to)).isEqualTo(1);
    assertThat(said.toString(StandardCharsets.UTF_8))
        .startsWith("error: Triton server " + server.address() + " refused us")
        .contains("StatusRuntimeException")
        .doesNotContain("0815");
  }

  @Test
  void unknownAuthority_isRefused() throws Exception {
    assertRefused(server.address(), Connection.PLAIN.withTls(Tls.DEFAULT))
        .hasMessageContainingAll("CA that is not trusted here", "`tlsCa`");
    TestCertificates stranger = TestCertificates.in(own.resolve("stranger"));
    assertRefused(server.address(), Connection.PLAIN.withTls(trusting(stranger)))
        .hasMessageContainingAll("CA that is not trusted here", "`tlsCa`");
  }

  @Test
  void plainClient_ofTlsServer_isToldAboutTls() {
    assertRefused(server.address(), Connection.PLAIN).hasMessageContaining("`tls`");
  }

  @Test
  void expiredAndForeignCertificates_areRefused() throws Exception {
    certificates.signExpired("expired").signForAnother("foreign");
    Connection connection = Connection.PLAIN.withTls(trusting(certificates));
    for (String name : new String[] {"expired", "foreign"}) {
      Server other =
          NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
              .useTransportSecurity(
                  certificates.certificate(name).toFile(), certificates.key(name).toFile())
              .build()
              .start();
      try {
        assertRefused("127.0.0.1:" + other.getPort(), connection)
            .hasMessageContaining(
                name.equals("expired")
                    ? "has an expired certificate"
                    : "certificate that is not for it");
      } finally {
        other.shutdownNow();
      }
    }
  }

  @Test
  void mutualTls_takesOurCertificate_andNoOther() throws Exception {
    certificates.sign("client");
    TestCertificates stranger = TestCertificates.in(own.resolve("stranger")).sign("client");
    try (TritonServer mutual =
        TritonServer.start(
            repository,
            "--grpc-use-ssl-mutual=true",
            "--grpc-root-cert=" + certificates.ca(),
            "--grpc-server-cert=" + certificates.certificate("server"),
            "--grpc-server-key=" + certificates.key("server"))) {
      String address = mutual.address();
      assertThat(infer(address, presenting(certificates, "client"))).isEqualTo(-3);
      assertRefused(address, Connection.PLAIN.withTls(trusting(certificates)))
          .hasMessageContainingAll("certificate", "`tlsCert`");
      assertRefused(address, presenting(stranger, "client"))
          .hasMessageContainingAll("certificate", "`tlsCert`");
    }
  }

  private static Connection presenting(TestCertificates authority, String name) {
    return Connection.PLAIN.withTls(
        new Tls(
            Optional.of(certificates.ca()),
            Optional.of(authority.certificate(name)),
            Optional.of(authority.key(name))));
  }

  @Test
  void tlsClient_ofPlainServer_isToldToLeaveItOut() throws Exception {
    Server plain =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .build()
            .start();
    try {
      assertRefused("127.0.0.1:" + plain.getPort(), Connection.PLAIN.withTls(Tls.DEFAULT))
          .hasMessageContaining("does not speak TLS");
    } finally {
      plain.shutdownNow();
    }
  }

  /** As gateways in front of Triton do; this one even quotes the token. */
  @Test
  void tokenThatAServerQuotes_isBlottedOut() throws Exception {
    Metadata.Key<String> key = Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
    ServerInterceptor gateway =
        new ServerInterceptor() {
          @Override
          public <Q, A> ServerCall.Listener<Q> interceptCall(
              ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            String told = "token '" + headers.get(key) + "' is unknown";
            call.close(Status.UNAUTHENTICATED.withDescription(told), new Metadata());
            return new ServerCall.Listener<>() {};
          }
        };
    Server server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .intercept(gateway)
            .addService(new GRPCInferenceServiceImplBase() {})
            .build()
            .start();
    Path file = Files.writeString(own.resolve("headers"), "Authorization: Bearer s3cr3t.t0k3n\n");
    try {
      Headers headers = Headers.read(file);
      assertThat(headers).hasToString("headers [authorization]");
      assertRefused("127.0.0.1:" + server.getPort(), Connection.PLAIN.withHeaders(headers))
          .hasMessageContainingAll("refused us", "token '***' is unknown", "`headerFile`")
          .satisfies(fault -> assertThat(trace(fault)).doesNotContain("s3cr3t"));
    } finally {
      server.shutdownNow();
    }
  }

  private static String trace(Throwable fault) {
    StringWriter text = new StringWriter();
    fault.printStackTrace(new PrintWriter(text));
    return text.toString();
  }

  @ParameterizedTest
  @ValueSource(strings = {"s3cr3t", "Bearer s3cr3t", "a b: s3cr3t", "key-bin: s3cr3t", "token:"})
  void headerFile_ofOtherForm_isRefusedWithoutQuotingIt(String line) throws Exception {
    Path file = Files.writeString(own.resolve("headers"), "# first\n" + line + "\n");
    assertThatThrownBy(() -> Headers.read(file))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith("`headerFile` " + file + ":2 is no header")
        .hasMessageNotContaining("s3cr3t");
  }

  @Test
  void headerFile_withAHeaderTwice_orMissing_isRefused() throws Exception {
    Path file = Files.writeString(own.resolve("headers"), "a: 1\nA: 2\n");
    assertThatThrownBy(() -> Headers.read(file)).hasMessageContaining(":2 states header a again");
    assertThatThrownBy(() -> Headers.read(own.resolve("none")))
        .hasMessageContaining("cannot read `headerFile`");
  }

  @Test
  void tlsFiles_thatAreNone_areNamed() throws Exception {
    Path text = Files.writeString(own.resolve("text"), "no certificate");
    Optional<Path> none = Optional.empty();
    assertThatThrownBy(() -> new Tls(Optional.of(text), none, none).context())
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith("`tlsCa` " + text + " holds no certificate");
    assertThatThrownBy(() -> new Tls(none, Optional.of(text), Optional.of(text)).context())
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith("`tlsCert` " + text);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Tls(none, Optional.of(text), none))
        .withMessageStartingWith("`tlsCert` without `tlsKey`");
  }

  @Test
  void answerBeyondTheLargestMessage_isRefused() throws Exception {
    Connection small =
        Connection.PLAIN
            .withTls(trusting(certificates))
            .withHeaders(token(TOKEN))
            .withMaxMessageBytes(100);
    assertRefused(server.address(), small).hasMessageContaining("exceeds maximum size 100");
  }
}
