package dev.epoll.benchmarks.servers;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import java.net.InetSocketAddress;

/** What both servers on Netty have in common: its native epoll transport, with one event loop. */
final class NettyServer {
  private NettyServer() {}

  static EventLoopGroup oneLoop() {
    return new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
  }

  /** Serves each connection by {@code handler}, until this process is killed. */
  static void serve(EventLoopGroup loop, ChannelHandler handler) throws InterruptedException {
    var listener =
        new ServerBootstrap()
            .group(loop)
            .channel(EpollServerSocketChannel.class)
            .option(ChannelOption.SO_BACKLOG, 4096)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childOption(ChannelOption.ALLOCATOR, PooledByteBufAllocator.DEFAULT)
            .childHandler(handler)
            .bind("127.0.0.1", 0)
            .sync()
            .channel();
    System.out.println("listening on " + ((InetSocketAddress) listener.localAddress()).getPort());
    listener.closeFuture().sync();
  }
}
