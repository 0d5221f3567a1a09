package dev.epoll.benchmarks.servers;

import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

/** What was read is written back, and flushed when nothing more was read. */
public final class NettyEcho {
  private NettyEcho() {}

  /** Serves until it is killed. */
  public static void main(String[] arguments) throws InterruptedException {
    NettyServer.serve(NettyServer.oneLoop(), new Answer());
  }

  @Sharable
  private static final class Answer extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext channel, Object message) {
      var unused = channel.write(message, channel.voidPromise());
    }

    /** The client broke off. */
    @Override
    public void exceptionCaught(ChannelHandlerContext channel, Throwable cause) {
      var unused = channel.close();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext channel) {
      channel.flush();
    }
  }
}
