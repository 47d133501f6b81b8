package io.harmonica.triton;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.harmonica.runtime.ContractModels;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * One name that stands for the servers at several addresses, as a headless Service's does. In a
 * process of its own: its name service is a file, and its network one where the addresses are.
 */
@Tag("triton")
class SeveralAddressesTest {
  private static final String[] ADDRESSES = {"10.77.0.1", "10.77.0.2"};

  @TempDir Path folder;

  @BeforeEach
  void writeHosts() throws Exception {
    List<String> hosts = new ArrayList<>(List.of("fd00::1 triton", "127.0.0.1 here", "::1 here"));
    for (String address : ADDRESSES) {
      hosts.add(address + " triton");
    }
    Files.write(folder.resolve("hosts"), hosts);
  }

  private String java(List<String> prefix, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(prefix);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Djdk.net.hosts.file=" + folder.resolve("hosts"));
    command.add("-Djava.net.preferIPv6Addresses=false");
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(SeveralAddressesTest.class.getName());
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
    return said;
  }

  @Test
  void name_standsForEachOfItsAddresses_ofOneKind_andThisHostForOne() throws Exception {
    assertThat(java(List.of(), "triton:8001,here:9001"))
        .contains("[10.77.0.1:8001, 10.77.0.2:8001, here:9001]");
  }

  @Test
  void serversBehindOneName_takeOverFromEachOther() throws Exception {
    String network = "ip link set lo up";
    for (String address : ADDRESSES) {
      network += " && ip addr add " + address + "/32 dev lo";
    }
    Process probe = new ProcessBuilder("unshare", "-n", "sh", "-c", network).start();
    assumeTrue(probe.waitFor() == 0, "needs root, unshare and ip, for addresses of its own");
    ContractModels.writeUnbatched(folder.resolve("repository"));
    TritonServer.install();
    List<String> inside = List.of("unshare", "-n", "sh", "-c", network + " && exec \"$@\"", "sh");
    assertThat(java(inside, "triton:8001", folder.resolve("repository").toString()))
        .contains("2 servers, 2 used; after a kill -9.0");
  }

  /** In the process of its own: a list of servers, and a repository to serve and use there. */
  public static void main(String[] args) throws Exception {
    System.out.println(Address.all(args[0]));
    if (args.length == 1) {
      return;
    }
    Path repository = Path.of(args[1]);
    try (TritonServer one =
            TritonServer.startAt(
                repository, new int[] {8001, 8010, 8012}, "--grpc-address=" + ADDRESSES[0]);
        TritonServer other =
            TritonServer.startAt(
                repository, new int[] {8001, 8020, 8022}, "--grpc-address=" + ADDRESSES[1]);
        Fleet fleet = Fleet.connect(args[0])) {
      fleet.config("unbatched");
      for (int i = 0; i < 4; i++) {
        infer(fleet, i);
      }
      int used = 0;
      for (TritonServer server : new TritonServer[] {one, other}) {
        used +=
            server
                    .metrics()
                    .matches(
                        "(?s).*nv_inference_request_success\\{model=\"unbatched\",[^}]*} [1-9].*")
                ? 1
                : 0;
      }
      one.kill();
      float after = infer(fleet, 9);
      System.out.printf(
          "%d servers, %d used; after a kill %s%n", fleet.servers().size(), used, after);
    }
  }

  private static float infer(Runtime runtime, float value) {
    try (Tensor x = runtime.tensor(FloatBuffer.wrap(new float[] {value, 1}), 2, 1);
        Tensor y = runtime.infer("unbatched", Map.of("x", x), Set.of("y")).get("y")) {
      return y.floats().get(0);
    }
  }
}
