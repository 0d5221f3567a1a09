package dev.epoll.benchmarks.servers;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** The JDK's blocking sockets, with a virtual thread for each connection. */
public final class JdkVirtualEcho {
  private JdkVirtualEcho() {}

  /** Serves until it is killed. */
  public static void main(String[] arguments) throws IOException {
    try (ServerSocket listener = new ServerSocket(0, 4096, InetAddress.getLoopbackAddress());
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      System.out.println("listening on " + listener.getLocalPort());
      // Virtual too: a platform thread that accepts would be one more to switch to.
      threads
          .submit(
              () -> {
                while (true) {
                  Socket connection = listener.accept();
                  threads.execute(() -> answer(connection));
                }
              })
          .get();
    } catch (Exception e) {
      throw new IOException(e);
    }
  }

  private static void answer(Socket connection) {
    try (connection) {
      connection.setTcpNoDelay(true);
      InputStream in = connection.getInputStream();
      OutputStream out = connection.getOutputStream();
      byte[] buffer = new byte[1024];
      int count;
      while ((count = in.read(buffer)) >= 0) {
        out.write(buffer, 0, count);
      }
    } catch (IOException e) {
      System.err.println("a connection ended early: " + e.getMessage());
    }
  }
}
